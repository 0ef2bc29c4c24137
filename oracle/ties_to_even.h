#pragma once
// Rounding as it is written in a definition, whatever the rounding mode of the machine.

#include <cmath>
#include <cstdint>
#include <limits>

namespace tieout {

// The integer nearest to v, the even one of two that are equally near. Exact for every finite v; keeps the sign of a
// zero; infinities and NaN stay what they are. No call to libm, which is one for each of round() and trunc().
template <typename Real>
[[nodiscard]] Real ties_to_even(Real v) {
  constexpr Real kAllWhole = std::numeric_limits<Real>::digits == 24 ? Real(0x1p23) : Real(0x1p52);  // from there on
  if (!(std::fabs(v) < kAllWhole)) return v;
  const auto toward_zero = static_cast<std::int64_t>(v);
  const Real rest = std::fabs(v - static_cast<Real>(toward_zero));  // exact
  const bool further = rest > Real(0.5) || (rest == Real(0.5) && toward_zero % 2 != 0);
  const std::int64_t away = v < 0 ? -1 : 1;
  return std::copysign(static_cast<Real>(further ? toward_zero + away : toward_zero), v);
}

}  // namespace tieout
