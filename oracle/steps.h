#pragma once
// The steps that an int8 convolution is made of, one definition each, for the arithmetics of this room. Every step writes
// itself down under the name that all arithmetics use for it. kernels/ has definitions of its own, on purpose.

#include <cstdint>
#include <string_view>

#include "cases/conv_case.h"
#include "oracle/hypothesis.h"

namespace tieout {

// The value, written down on its way.
template <typename T>
T step(Trace* trace, std::string_view name, T value, std::string_view note) {
  if (trace != nullptr) trace->step(name, static_cast<double>(value), note);
  return value;
}

// What an int32 keeps of an exact sum: its low 32 bits.
[[nodiscard]] constexpr std::int32_t wrapped(std::int64_t sum) { return static_cast<std::int32_t>(sum); }

// "accumulator": sum of x * w, int32.
[[nodiscard]] std::int32_t exact_accumulator(const Window& window, Trace* trace);

// The same where neighbours in the reduction are added in 16 bits first: sum of sat_int16(x0 * w0 + x1 * w1). An odd last
// product is paired with 0.
[[nodiscard]] std::int32_t pairs_accumulator(const Window& window, Trace* trace);

// For other pairs: what they lose of the exact sum, and the sum without it.
[[nodiscard]] std::int64_t lost_in_pairs(const Window& window, std::size_t begin, std::size_t end);
[[nodiscard]] std::int32_t pairs_accumulator(const Window& window, std::int64_t lost, Trace* trace);

// "raw": accumulator - xz * sum(w) - wz * activations + n * xz * wz, int32, wraps. activations: sum of x.
[[nodiscard]] std::int32_t without_zero_points(const Window& window, std::int64_t accumulator, std::int64_t activations,
                                               Trace* trace);

// "bias" and "with bias": float(raw) + bias / A, where A = fl(fl(xs) * fl(ws)) is what one unit of raw is worth.
//   per channel          fl(f + fl(bias / A))
//   per tensor           fma(bias, fl(1 / A), f) where fused, else fl(f + fl(bias * fl(1 / A)))
[[nodiscard]] float with_float_bias(const Window& window, std::int32_t raw, Arithmetic::TensorBias tensor_bias,
                                    Trace* trace);

// "multiplier": fl(fl(fl(xs) * fl(ws)) / fl(os)).
[[nodiscard]] float float_multiplier(const Window& window, Trace* trace);

// An integral float as int32; what does not fit, and NaN, is INT32_MIN: x86's cvtps2dq has one answer for all of them.
[[nodiscard]] std::int32_t to_int32(float integral);

// An integral double as int32; what does not fit is the nearer end, NaN is 0.
[[nodiscard]] std::int32_t clamped_int32(double integral);

// "with zero point" and "result": q = sat_int16(sat_int16(rounded) + oz), y = clamp(q, 0, 255), relu: max(y, oz).
[[nodiscard]] std::uint8_t quantized(const Window& window, std::int32_t rounded, Trace* trace);

// The same without any int16: clamp(rounded + oz, lowest, 255). rounded: integral, infinite or NaN, which is lowest.
[[nodiscard]] std::uint8_t saturated(const Window& window, double rounded, std::int64_t lowest, Trace* trace);

// The least y that relu leaves: that of the real number 0.
[[nodiscard]] inline std::int64_t lowest_output(const Window& window) {
  return window.relu == Relu::on ? window.oz : 0;
}

// "rounded" and on: ties_to_even(scaled), then quantized().
[[nodiscard]] std::uint8_t rounded_to_even(const Window& window, float scaled, Trace* trace);

// What FBGEMM does from raw to y: all of the above, with ties_to_even (oracle/ties_to_even.h).
[[nodiscard]] std::uint8_t requantized(const Window& window, std::int32_t raw, Arithmetic::TensorBias tensor_bias,
                                       Trace* trace);

}  // namespace tieout
