#pragma once
// Prepares the operator of one case: packs the weights and creates the activation tensor.

#include <memory>

#include "oracle/libtorch/libtorch.h"

namespace tieout {

// Selects the execution of the case and packs its weights. problem: one for which LibTorch::available() succeeds.
// Throws what LibTorch throws.
[[nodiscard]] std::unique_ptr<PreparedConv> prepare_conv(const ConvProblem& problem);

}  // namespace tieout
