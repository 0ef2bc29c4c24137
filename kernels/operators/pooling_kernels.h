#pragma once
// The kernels of the operators that compute each output element from a window of the input.

#include <span>

#include "kernels/operators/operator_kernel.h"

namespace tieout {

[[nodiscard]] std::span<const OperatorKernel> pooling_kernels();

}  // namespace tieout
