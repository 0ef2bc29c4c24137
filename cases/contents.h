#pragma once
// Provides the contents of a case: the values that it lists, or values drawn from its seed, bit for bit the same on
// every machine.

#include "cases/conv_case.h"

namespace tieout {

// Returns the case with its activation and weight. c: a valid case (cases/validate.h). Activation and weight are drawn
// from separate streams, so that listing one of them does not change the other.
[[nodiscard]] ConvProblem with_contents(ConvCase c);

// Returns the case with its contents listed in it, the form that shrinking and editing by hand start from.
[[nodiscard]] ConvCase listed(const ConvProblem& problem);

}  // namespace tieout
