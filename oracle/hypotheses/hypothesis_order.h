#pragma once
// Hypotheses about the order of the last steps. All other steps are those of integer_float32.

#include "oracle/hypotheses/hypothesis.h"

namespace tieout {

// Adds the zero point before rounding: y = RNE(fl(s + oz)). Differs from FBGEMM on ties with an odd zero point, and
// where the sum s + oz is inexact. Deciding input: acc 1, os 2, oz 1 gives 1 with FBGEMM, 2 here.
[[nodiscard]] std::uint8_t zero_point_first(const Window& window, Trace* trace);

// Differs from zero_point_first in three steps: the bias is added as fl(f + fl(b / A)) for every granularity, relu is
// max(s, 0), and the clamp comes before rounding: y = RNE(clamp(fl(s + oz), 0, 255)), where NaN gives 0. No value
// overflows to 0. Deciding inputs: that of zero_point_first, and xs 1000, ws 1000, os 0.001, x 3, w 8, which gives 255.
[[nodiscard]] std::uint8_t onednn_output_scale(const Window& window, Trace* trace);

// Applies relu to the sum only, as max(f, 0). The result is FBGEMM's except for values beyond int32, which give 0 and
// not oz.
[[nodiscard]] std::uint8_t relu_first(const Window& window, Trace* trace);

// Applies relu to the stored value as max(y, 0), as if 0 were stored as 0 and not as oz. Such a relu has no effect.
[[nodiscard]] std::uint8_t relu_at_zero(const Window& window, Trace* trace);

// Adds the bias after scaling, in units of the output: s = fl(fl(fl(raw) * M) + fl(b / os)).
[[nodiscard]] std::uint8_t bias_after_scaling(const Window& window, Trace* trace);

}  // namespace tieout
