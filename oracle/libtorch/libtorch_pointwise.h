#pragma once
// Calls the operators that PyTorch 2 export is lowered to, onednn::qconv1d_pointwise and its like, which take plain
// tensors of bytes.

#include <memory>

#include "oracle/libtorch/libtorch.h"

namespace tieout {

// True if this LibTorch has the operators.
[[nodiscard]] bool has_pointwise_operators();

// Selects the execution of the case and packs its weights by onednn::qconv_prepack. problem: one for which
// LibTorch::available() succeeds, with the same padding on both sides. Throws what LibTorch throws.
[[nodiscard]] std::unique_ptr<PreparedConv> prepare_pointwise_conv(const ConvProblem& problem);

}  // namespace tieout
