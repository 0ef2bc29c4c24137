#pragma once
// Hypotheses about the order and precision in which the three scales are combined to the multiplier. All other steps
// are those of integer_float32.
//
//   FBGEMM                              fl(fl(xs * ws) / os)
//   multiplier_weight_over_output       fl(xs * fl(ws / os))
//   multiplier_activation_over_output   fl(fl(xs / os) * ws)
//   multiplier_reciprocal               fl(fl(xs * ws) * fl(1 / os))
//   multiplier_float64                  fl(xs * ws / os), scales and quotient in float64, rounded once
//
// Deciding input: x=23 w=30 xs=0.05 ws=0.005 os=0.005 gives 35 with FBGEMM, 34 with multiplier_weight_over_output and
// multiplier_float64.

#include "oracle/hypotheses/hypothesis.h"

namespace tieout {

[[nodiscard]] std::uint8_t multiplier_weight_over_output(const Window& window, Trace* trace);
[[nodiscard]] std::uint8_t multiplier_activation_over_output(const Window& window, Trace* trace);
[[nodiscard]] std::uint8_t multiplier_reciprocal(const Window& window, Trace* trace);
[[nodiscard]] std::uint8_t multiplier_float64(const Window& window, Trace* trace);

}  // namespace tieout
