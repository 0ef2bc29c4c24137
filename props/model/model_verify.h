#pragma once
// Verifies a whole model: every quantized layer and every other quantized operator that it runs is captured and
// verified before the model continues, so that only one call's tensors are in memory at a time.

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "props/model/layer_verify.h"
#include "props/model/model_inputs.h"

namespace tieout {

struct ModelOptions {
  LayerOptions layers;
  // The hypotheses whose differences are followed to the model's end, in addition to those of the kernel and the
  // subjects. The model is run with the implementation's output in place of its own: once for each layer in which they
  // differ, and once for all of these layers together.
  std::vector<std::string> spread;
  // The numbers of LibTorch's threads for which outputs are predicted, and followed to the model's end if they change.
  std::vector<int> libtorch_threads;
  // Folder that gets the tensors of every operator; empty: none. Only with one input.
  std::filesystem::path save_tensors;
  // Folder of recorded outputs to compare with; empty: none. Only with one input.
  std::filesystem::path compare;
  // The names of the model and of its input, for the manifest of saved tensors.
  std::string model_name, input_name;
  // Number of findings that are shrunk and kept; all differences are counted.
  std::size_t max_findings = 10;
  double seconds_per_finding = 0.5;
};

// Reports progress after each layer.
struct ModelProgress {
  // Number of layers verified so far, over all inputs.
  std::int64_t layers = 0;
  // Number of them in which the kernel or a subject differs.
  std::int64_t differing = 0;
};

// Runs and verifies the model on every input. The error names the input.
[[nodiscard]] ModelResult<ModelReport> verify_model(Model& model, const ModelInputs& inputs,
                                                    const ModelOptions& options, LibTorch& reference,
                                                    const std::function<void(const ModelProgress&)>& progress);

// Returns 1 if the kernel or a subject differs or a subject fails to answer, 0 if they equal the operator, and 3 if
// nothing was verified or a subject declined everything. Differences of a hypothesis are results and not
// failures.
[[nodiscard]] int exit_status(const ModelReport& report);

}  // namespace tieout
