#pragma once
// The kernels of the operators that join tensors.

#include <span>

#include "kernels/operators/operator_kernel.h"

namespace tieout {

[[nodiscard]] std::span<const OperatorKernel> joining_kernels();

}  // namespace tieout
