#pragma once
// Provides the document's script for the adapter (libtorch_conv.cpp).

#include <cstdint>

#include "oracle/libtorch/experiment.h"

namespace tieout {

// Computes what the script computes after torch.manual_seed(seed) in a process of two or more threads. With one thread,
// LibTorch calibrates with another float convolution, and the output scale can be off by one ulp. The engine is FBGEMM.
//
// Throws LibTorch's exceptions, and std::runtime_error if the observers refuse the data.
[[nodiscard]] Experiment run_experiment(std::uint64_t seed);

}  // namespace tieout
