#pragma once
// A whole model: every quantized convolution that it runs is captured and verified before the model goes on, so that one
// layer's tensors are held at a time, whatever the model.

#include <functional>

#include "props/layer_verify.h"
#include "props/model_inputs.h"

namespace tieout {

struct ModelOptions {
  LayerOptions layers;
  // Columns whose differences are followed to the model's end, beside the kernel's and the subjects': the model is run on
  // with their output in the place of its own, a run a layer in which they differ, and one for all layers.
  std::vector<std::string> spread;
  std::size_t max_findings = 10;  // cut small and kept; all differences are counted
  double seconds_per_finding = 0.5;
};

// After each layer.
struct ModelProgress {
  std::int64_t layers = 0;     // verified so far, of all inputs
  std::int64_t differing = 0;  // of them: in which the kernel or a subject differs
};

// Runs the model on every input. The error names the input.
[[nodiscard]] ModelResult<ModelReport> verify_model(Model& model, const ModelInputs& inputs,
                                                    const ModelOptions& options, LibTorch& reference,
                                                    const std::function<void(const ModelProgress&)>& progress);

// 1 where the kernel or a subject differs, or a subject fails to answer; 0 where they equal the operator; 3 where nothing was
// verified, or a subject declined everything. What a hypothesis
// differs by is what the run is for, and no failure.
[[nodiscard]] int exit_status(const ModelReport& report);

}  // namespace tieout
