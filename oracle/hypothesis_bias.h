#pragma once
// Hypotheses that the bias is an int32, as most formats of quantized models store it: bias / (xs * ws), in float64, rounded
// and clamped to int32, and added to raw before it becomes a float. Everything else is as in integer_float32.

#include "oracle/hypothesis.h"

namespace tieout {

[[nodiscard]] std::uint8_t bias_int32(const Window& window, Trace* trace);            // to nearest, ties to even
[[nodiscard]] std::uint8_t bias_int32_half_away(const Window& window, Trace* trace);  // ties away from zero
[[nodiscard]] std::uint8_t bias_int32_truncated(const Window& window, Trace* trace);  // toward zero

}  // namespace tieout
