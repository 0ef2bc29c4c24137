#pragma once
// A whole model: every quantized convolution that it runs is captured and verified before the model goes on, so that one
// layer's tensors are held at a time, whatever the model.

#include <functional>
#include <span>

#include "props/layer_verify.h"

namespace tieout {

enum class Spreading {
  untold,
  told,  // the model is run on with every differing column's output in the place of its own: a run a layer, and one for all
};

struct ModelOptions {
  LayerOptions layers;
  Spreading spreading = Spreading::untold;
  std::size_t max_findings = 10;  // cut small and kept; all differences are counted
  double seconds_per_finding = 2;
};

// After each layer: how many were verified so far, and how many a run has; 0 while the first input is at work.
struct ModelProgress {
  std::int64_t inputs = 0, layers = 0, layers_of_input = 0;
  std::int64_t differing = 0;  // layers in which the kernel or a subject differs
};

// Runs the model on every input. The error is the model's own, on the input that it names.
[[nodiscard]] ModelResult<ModelReport> verify_model(Model& model, std::span<const ModelInput> inputs,
                                                    const ModelOptions& options, LibTorch& reference,
                                                    const std::function<void(const ModelProgress&)>& progress);

// 1 where the kernel or a subject differs, 0 where they equal the operator, 3 where nothing was verified. What a hypothesis
// differs by is what the run is for, and no failure.
[[nodiscard]] int exit_status(const ModelReport& report);

}  // namespace tieout
