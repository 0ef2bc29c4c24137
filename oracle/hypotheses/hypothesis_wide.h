#pragma once
// Hypotheses that requantization does not round where float32 does. Sums are exact integers that do not wrap.
//
//   integer_float64                y = clamp(oz + RNE((raw + b / (xs * ws)) * (xs * ws / os))), all in float64
//   integer_exact                  y = clamp(oz + RNE((raw * xs * ws + b) / os)), no rounding but RNE; scales rounded
//                                  to float32, as every engine of LibTorch receives them
//   integer_exact_float64_scales   the same with the float64 scales of the case
//
// Deciding input: x=1 w=50 xs=0.1 ws=0.01 os=0.1 is 0.5 in decimal arithmetic. fl(0.01) is below 0.01, so integer_exact
// gives 0; the double 0.01 is above it, so integer_exact_float64_scales gives 1.

#include "oracle/hypotheses/hypothesis.h"

namespace tieout {

[[nodiscard]] std::uint8_t integer_float64(const Window& window, Trace* trace);
[[nodiscard]] std::uint8_t integer_exact(const Window& window, Trace* trace);
[[nodiscard]] std::uint8_t integer_exact_float64_scales(const Window& window, Trace* trace);

}  // namespace tieout
