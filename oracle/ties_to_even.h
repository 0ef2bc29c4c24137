#pragma once
// Rounding as it is written in a definition, whatever the rounding mode of the machine.

#include <cmath>

namespace tieout {

// The integer nearest to v, the even one of two that are equally near. Exact for every finite v; keeps the sign of a
// zero; infinities and NaN stay what they are.
template <typename Real>
[[nodiscard]] Real ties_to_even(Real v) {
  const bool tie = std::fabs(v - std::trunc(v)) == Real(0.5);  // the difference is exact
  return tie ? 2 * std::round(v / 2) : std::round(v);          // std::round goes away from zero on a tie
}

}  // namespace tieout
