#pragma once
// Prepares one case for FBGEMM itself, called without PyTorch's operator and its quantized dtypes around it.

#include <memory>

#include "oracle/libtorch/libtorch.h"

namespace tieout {

// Selects the execution of the case and packs its weights for fbgemm::fbgemmConv. problem: one for which
// LibTorch::available() succeeds, with the same padding on both sides. Throws what FBGEMM throws.
[[nodiscard]] std::unique_ptr<PreparedConv> prepare_direct_conv(const ConvProblem& problem);

}  // namespace tieout
