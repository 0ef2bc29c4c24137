#pragma once
// Provides the steps of an int8 convolution, one function each, from which the hypotheses and engine models are
// composed. Every step records its value in the trace, if there is one, under the name that all arithmetics use for
// that step. kernels/ has its own definitions on purpose: a shared helper would be a shared bug.

#include <cstdint>
#include <string_view>

#include "cases/conv_case.h"
#include "oracle/element/trace.h"
#include "oracle/element/window.h"

namespace tieout {

// Records the value in the trace, if there is one, and returns it.
template <typename T>
T step(Trace* trace, std::string_view name, T value, std::string_view note) {
  if (trace != nullptr) trace->step(name, static_cast<double>(value), note);
  return value;
}

// Returns the low 32 bits of an exact sum, as an int32 accumulator keeps them.
[[nodiscard]] constexpr std::int32_t wrapped(std::int64_t sum) { return static_cast<std::int32_t>(sum); }

// Step "accumulator": the sum of x * w, wrapped to int32.
[[nodiscard]] std::int32_t exact_accumulator(const Window& window, Trace* trace);

// Step "accumulator" of code that adds neighbours in 16 bits first: the sum of sat_int16(x0 * w0 + x1 * w1). The last
// product of an odd number is paired with 0.
[[nodiscard]] std::int32_t pairs_accumulator(const Window& window, Trace* trace);

// Returns the part of the exact sum that elements begin .. end of the window lose when they are added in saturating
// pairs; 0 if the window holds only sums. The second function returns the sum of products less `lost`, for arithmetics
// that pair other neighbours.
[[nodiscard]] std::int64_t lost_in_pairs(const Window& window, std::size_t begin, std::size_t end);
[[nodiscard]] std::int32_t pairs_accumulator(const Window& window, std::int64_t lost, Trace* trace);

// Step "raw": accumulator - xz * sum(w) - wz * activations + n * xz * wz, wrapped to int32. activations: the sum of x,
// which some code saturates.
[[nodiscard]] std::int32_t without_zero_points(const Window& window, std::int64_t accumulator, std::int64_t activations,
                                               Trace* trace);

// Returns the sum that an int32 output holds, with the steps "accumulator" and "raw": exact_accumulator() without zero
// points.
[[nodiscard]] std::int32_t exact_sum(const Window& window, Trace* trace);

// Steps "bias" and "with bias": float(raw) + bias / A, where A = fl(fl(xs) * fl(ws)) is the real value of one unit of
// raw.
//   per channel          fl(f + fl(bias / A))
//   per tensor           fma(bias, fl(1 / A), f) if fused, fl(f + fl(bias * fl(1 / A))) if separate
[[nodiscard]] float with_float_bias(const Window& window, std::int32_t raw, Arithmetic::TensorBias tensor_bias,
                                    Trace* trace);

// Step "multiplier": fl(fl(fl(xs) * fl(ws)) / fl(os)).
[[nodiscard]] float float_multiplier(const Window& window, Trace* trace);

// Converts an integral float to int32. NaN and values beyond int32 become INT32_MIN, as x86's cvtps2dq returns it.
[[nodiscard]] std::int32_t to_int32(float integral);

// Converts an integral double to int32. Values beyond int32 become the nearer limit; NaN becomes 0.
[[nodiscard]] std::int32_t clamped_int32(double integral);

// Steps "with zero point" and "result": q = sat_int16(sat_int16(rounded) + oz), y = clamp(q, 0, 255), with relu max(y,
// oz).
[[nodiscard]] std::uint8_t quantized(const Window& window, std::int32_t rounded, Trace* trace);

// Step "with zero point" of code that adds the zero point before it rounds: fl(scaled + oz). The zero point and the sum
// are stored numbers, which lie window.output_shift below those of the other steps.
[[nodiscard]] float with_stored_zero_point(const Window& window, float scaled, Trace* trace);

// Steps "with zero point" and "result" without int16 saturation: clamp(rounded + oz, lowest, 255). rounded: integral,
// infinite or NaN; NaN gives `lowest`.
[[nodiscard]] std::uint8_t saturated(const Window& window, double rounded, std::int64_t lowest, Trace* trace);

// Returns the smallest output that relu allows: oz, which stands for the real number 0, or 0 if relu is off.
[[nodiscard]] inline std::int64_t lowest_output(const Window& window) {
  return window.relu == Relu::on ? window.oz : 0;
}

// Steps "rounded", "with zero point" and "result": quantized(ties_to_even(scaled)).
[[nodiscard]] std::uint8_t rounded_to_even(const Window& window, float scaled, Trace* trace);

// Requantizes as FBGEMM does, from raw to y: with_float_bias(), float_multiplier() and rounded_to_even().
[[nodiscard]] std::uint8_t requantized(const Window& window, std::int32_t raw, Arithmetic::TensorBias tensor_bias,
                                       Trace* trace);

}  // namespace tieout
