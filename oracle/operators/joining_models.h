#pragma once
// The predictions of the operators that join tensors.

#include <span>

#include "oracle/operators/operator_model.h"

namespace tieout {

[[nodiscard]] std::span<const OperatorModel> joining_models();

}  // namespace tieout
