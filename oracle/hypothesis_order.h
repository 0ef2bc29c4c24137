#pragma once
// Hypotheses about the order of the last steps. Everything else is as in integer_float32.

#include "oracle/hypothesis.h"

namespace tieout {

// y = RNE(fl(s + oz)): the zero point before rounding. Differs on ties with an odd zero point, and where the sum is inexact.
// Deciding input: acc 1, os 2, oz 1 is 1 with FBGEMM, 2 here.
[[nodiscard]] std::uint8_t zero_point_first(const Window& window, Trace* trace);

// The same with the bias as fl(f + fl(b / A)) whatever the granularity, relu as max(s, 0), and clamped before it is rounded:
// y = RNE(clamp(fl(s + oz), 0, 255)), NaN is 0. Nothing overflows to 0. Deciding inputs: as zero_point_first, and xs 1000,
// ws 1000, os 0.001, x 3, w 8 is 255.
[[nodiscard]] std::uint8_t onednn_output_scale(const Window& window, Trace* trace);

// relu on the sum, max(f, 0), and nowhere else. The same but for values beyond int32, which end at 0, not at oz.
[[nodiscard]] std::uint8_t relu_first(const Window& window, Trace* trace);

// relu on the stored value, max(y, 0), which forgets that oz is what stands for 0: it has no effect.
[[nodiscard]] std::uint8_t relu_at_zero(const Window& window, Trace* trace);

// s = fl(fl(fl(raw) * M) + fl(b / os)): the bias in units of the output, after scaling.
[[nodiscard]] std::uint8_t bias_after_scaling(const Window& window, Trace* trace);

}  // namespace tieout
