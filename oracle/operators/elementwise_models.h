#pragma once
// The predictions of the operators that compute each output element from one element of each input.

#include <span>

#include "oracle/operators/operator_model.h"

namespace tieout {

[[nodiscard]] std::span<const OperatorModel> elementwise_models();

}  // namespace tieout
