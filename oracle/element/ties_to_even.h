#pragma once
// Provides rounding to nearest, ties to even, independent of the machine's rounding mode.

#include <cmath>
#include <cstdint>
#include <limits>

namespace tieout {

// Returns the integer nearest to v, the even one at a tie. The result is exact for every finite v; a zero keeps its
// sign; infinities and NaN are returned unchanged. Avoids libm, where round() and trunc() are function calls.
template <typename Real>
[[nodiscard]] Real ties_to_even(Real v) {
  // All values of this magnitude or more are integers.
  constexpr Real kAllWhole = std::numeric_limits<Real>::digits == 24 ? Real(0x1p23) : Real(0x1p52);
  if (!(std::fabs(v) < kAllWhole)) return v;
  const auto toward_zero = static_cast<std::int64_t>(v);
  const Real rest = std::fabs(v - static_cast<Real>(toward_zero));  // exact
  const bool further = rest > Real(0.5) || (rest == Real(0.5) && toward_zero % 2 != 0);
  const std::int64_t away = v < 0 ? -1 : 1;
  return std::copysign(static_cast<Real>(further ? toward_zero + away : toward_zero), v);
}

}  // namespace tieout
