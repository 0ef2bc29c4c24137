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

// Steps "bias" and "with bias" of code whose bias TensorFlow Lite's converter stored: raw + b, int32, wraps, where b =
// fl(bias * fl(1 / fl(xs * ws))), rounded to nearest, ties away from zero, -(2^31 - 1) .. 2^31 - 1.
[[nodiscard]] std::int32_t with_tflite_bias(const Window& window, std::int32_t raw, Trace* trace);

}  // namespace tieout
