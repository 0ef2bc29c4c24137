#pragma once
// The specification of the quantized operators: scalar code that computes one element after the other, independent of
// LibTorch's and of the predictions of it (oracle/operators/).
//
// fl() rounds to float32, to nearest, ties to even. Each input is dequantized, the operator computed in float32, and
// the result quantized:
//
//   real(q)  = fl(fl(scale) * (q - zero_point))
//   byte(r)  = clamp(zero_point + ties_to_even(fl(r * fl(1 / fl(scale)))), 0, 255)
//
// Operators that compute on integers say so beside their code. Averages are exact until they are rounded.

#include "cases/operators/operator_case.h"

namespace tieout {

// Returns the output. c: a valid case with contents (with_contents()).
[[nodiscard]] OperatorOutput operator_kernel(const OperatorCase& c);

// The kernel of one operator.
struct OperatorKernel {
  std::string_view name;
  OperatorOutput (*compute)(const OperatorCase& c);
};

}  // namespace tieout
