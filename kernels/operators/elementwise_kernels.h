#pragma once
// The kernels of the operators that compute each output element from one element of each input.

#include <span>

#include "kernels/operators/operator_kernel.h"

namespace tieout {

[[nodiscard]] std::span<const OperatorKernel> elementwise_kernels();

}  // namespace tieout
