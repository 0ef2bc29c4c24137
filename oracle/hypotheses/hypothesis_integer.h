#pragma once
// Hypotheses about the accumulator, that is, about how the products are added up. All of them requantize as FBGEMM does
// (oracle/element/requantization_steps.h).

#include "oracle/hypotheses/hypothesis.h"

namespace tieout {

// Accumulate in int32: acc = sum(x * w). The bias of per-tensor weights is added with one rounding (fma) in
// integer_float32, with two in integer_separate_bias.
[[nodiscard]] std::uint8_t integer_float32(const Window& window, Trace* trace);
[[nodiscard]] std::uint8_t integer_separate_bias(const Window& window, Trace* trace);

// Adds neighbours in the order kd, kh, kw, channel in saturating int16 first (vpmaddubsw): acc = sum of sat_int16(x0 *
// w0 + x1 * w1).
[[nodiscard]] std::uint8_t integer_int16_pairs(const Window& window, Trace* trace);

// FBGEMM's depthwise code: pairs as in integer_int16_pairs, sum(x) limited to 32767, two roundings for the bias.
[[nodiscard]] std::uint8_t integer_depthwise(const Window& window, Trace* trace);

// Accumulate in int16: every partial sum saturates in int16_saturating, wraps in int16_wrapping. The activations are
// summed as they are stored.
[[nodiscard]] std::uint8_t int16_saturating(const Window& window, Trace* trace);
[[nodiscard]] std::uint8_t int16_wrapping(const Window& window, Trace* trace);

// Return raw, the sums that they compute for an int32 output.
[[nodiscard]] std::int32_t sum_of_int16_pairs(const Window& window, Trace* trace);
[[nodiscard]] std::int32_t depthwise_sum(const Window& window, Trace* trace);
[[nodiscard]] std::int32_t int16_saturating_sum(const Window& window, Trace* trace);
[[nodiscard]] std::int32_t int16_wrapping_sum(const Window& window, Trace* trace);

}  // namespace tieout
