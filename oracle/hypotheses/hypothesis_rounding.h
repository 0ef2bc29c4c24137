#pragma once
// Hypotheses about the rounding of the scaled value. All other steps are those of integer_float32, which rounds to the
// nearest integer, ties to even. Results for 0.5, 1.5, -0.5 and -1.5:
//
//   ties_to_even        0  2  0 -2
//   round_half_away     1  2 -1 -2
//   round_half_up       1  2  0 -1
//   round_half_down     0  1 -1 -2
//   round_toward_zero   0  1  0 -1
//   round_down          0  1 -1 -2

#include "oracle/hypotheses/hypothesis.h"

namespace tieout {

[[nodiscard]] std::uint8_t round_half_away(const Window& window, Trace* trace);
[[nodiscard]] std::uint8_t round_half_up(const Window& window, Trace* trace);
[[nodiscard]] std::uint8_t round_half_down(const Window& window, Trace* trace);
[[nodiscard]] std::uint8_t round_toward_zero(const Window& window, Trace* trace);
[[nodiscard]] std::uint8_t round_down(const Window& window, Trace* trace);

}  // namespace tieout
