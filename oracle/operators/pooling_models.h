#pragma once
// The predictions of the operators that compute each output element from a window of the input.

#include <span>

#include "oracle/operators/operator_model.h"

namespace tieout {

[[nodiscard]] std::span<const OperatorModel> pooling_models();

// True if LibTorch computes a case of `mean` as averages of dense rows of bytes: the input is contiguous, and its
// innermost dimensions are averaged.
[[nodiscard]] bool averages_rows(const OperatorCase& c);

}  // namespace tieout
