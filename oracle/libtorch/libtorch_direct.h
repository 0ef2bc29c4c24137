#pragma once
// Calls FBGEMM itself, without PyTorch's operator and its quantized dtypes around it.

#include <memory>

#include "oracle/libtorch/libtorch.h"

namespace tieout {

// Selects the execution of the case and packs its weights for fbgemm::fbgemmConv. problem: one for which
// LibTorch::available() succeeds, with the same padding on both sides. Throws what FBGEMM throws.
[[nodiscard]] std::unique_ptr<PreparedConv> prepare_direct_conv(const ConvProblem& problem);

// Returns the path that FBGEMM reports for the case, which has the same padding on both sides.
[[nodiscard]] FbgemmPath ask_fbgemm_for_path(const ConvCase& c);

}  // namespace tieout
