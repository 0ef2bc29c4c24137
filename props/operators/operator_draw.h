#pragma once
// Draws cases of quantized operators at points where LibTorch's vector code and scalar code differ, or where rounding
// decides: output scales that put results on ties, zero points and values at the ends of their range, sizes around the
// registers' and the threads' shares.

#include "cases/operators/operator_case.h"
#include "cases/random.h"

namespace tieout {

// Returns a valid case. The same numbers from `random` give the same case on every machine.
[[nodiscard]] OperatorCase draw_operator_case(const OperatorSchema& schema, Random& random);

}  // namespace tieout
