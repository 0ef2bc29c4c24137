#pragma once
// The operator of one case with its weights packed and its activation at hand.

#include <memory>

#include "oracle/libtorch.h"

namespace tieout {

// problem: one that LibTorch::available() allows. Selects what its execution names. Throws what LibTorch throws.
[[nodiscard]] std::unique_ptr<PreparedConv> prepare_conv(const ConvProblem& problem);

}  // namespace tieout
