#pragma once
// The contents of a case: listed in it, or drawn from its seed, bit for bit the same everywhere.

#include "cases/conv_case.h"

namespace tieout {

// c: valid (cases/validate.h). Activations and weights come from streams of their own, so that listing one of them
// leaves the other as it was.
[[nodiscard]] ConvProblem with_contents(ConvCase c);

// The same problem with its contents listed in the case: what shrinking and hand-editing start from.
[[nodiscard]] ConvCase listed(const ConvProblem& problem);

}  // namespace tieout
