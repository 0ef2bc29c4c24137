#pragma once
// Hypotheses about the accumulator: how the products are summed up. All requantize as FBGEMM does (oracle/steps.h).

#include "oracle/hypothesis.h"

namespace tieout {

// acc = sum(x * w) in int32. Per-tensor bias with one rounding (fma), or with two.
[[nodiscard]] std::uint8_t integer_float32(const Window& window, Trace* trace);
[[nodiscard]] std::uint8_t integer_separate_bias(const Window& window, Trace* trace);

// acc = sum of sat_int16(x0 * w0 + x1 * w1): vpmaddubsw, neighbours in the order kd, kh, kw, channel.
[[nodiscard]] std::uint8_t integer_int16_pairs(const Window& window, Trace* trace);

// The same, sum(x) at most 32767, two roundings for the bias: FBGEMM's depthwise code.
[[nodiscard]] std::uint8_t integer_depthwise(const Window& window, Trace* trace);

// acc in int16: every partial sum saturates, or keeps its low 16 bits.
[[nodiscard]] std::uint8_t int16_saturating(const Window& window, Trace* trace);
[[nodiscard]] std::uint8_t int16_wrapping(const Window& window, Trace* trace);

}  // namespace tieout
