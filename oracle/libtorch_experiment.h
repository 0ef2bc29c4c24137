#pragma once
// The document's script, for the adapter (libtorch_conv.cpp) to call.

#include <cstdint>

#include "oracle/experiment.h"

namespace tieout {

// What the script computes after torch.manual_seed(seed), in a process of two threads or more: with one, LibTorch
// takes another float convolution for the calibration, and the output scale can be one ulp off. FBGEMM is the engine.
//
// LibTorch's exceptions pass through; std::runtime_error if the observers refuse what they see.
[[nodiscard]] Experiment run_experiment(std::uint64_t seed);

}  // namespace tieout
