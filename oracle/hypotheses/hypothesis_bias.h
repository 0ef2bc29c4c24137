#pragma once
// Hypotheses that the bias is an int32, as most formats of quantized models store it. bias / (xs * ws) is computed in
// float64, rounded, clamped to int32 and added to raw before raw is converted to float. All other steps are those of
// integer_float32.

#include "oracle/hypotheses/hypothesis.h"

namespace tieout {

[[nodiscard]] std::uint8_t bias_int32(const Window& window, Trace* trace);  // rounds to nearest, ties to even
// rounds to nearest, ties away from zero
[[nodiscard]] std::uint8_t bias_int32_half_away(const Window& window, Trace* trace);
[[nodiscard]] std::uint8_t bias_int32_truncated(const Window& window, Trace* trace);  // rounds toward zero

}  // namespace tieout
