#include "oracle/element/requantization_steps.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "oracle/element/ties_to_even.h"

namespace tieout {
namespace {

std::int32_t sat_int16(std::int32_t v) { return std::clamp(v, -32768, 32767); }

float unit(const Window& window) { return static_cast<float>(window.xs) * static_cast<float>(window.ws); }

}  // namespace

std::int32_t exact_accumulator(const Window& window, Trace* trace) {
  return step(trace, "accumulator", wrapped(window.products),
              window.int32_bias == 0 ? "sum of x * w, int32" : "sum of x * w and the int32 bias, int32");
}

std::int64_t lost_in_pairs(const Window& window, std::size_t begin, std::size_t end) {
  std::int64_t lost = 0;
  for (std::size_t i = begin; i < std::min(end, window.w.size()); i += 2) {
    std::int32_t pair = window.x[i] * window.w[i];
    if (i + 1 < end) pair += window.x[i + 1] * window.w[i + 1];
    lost += pair - sat_int16(pair);
  }
  return lost;
}

std::int32_t pairs_accumulator(const Window& window, std::int64_t lost, Trace* trace) {
  step(trace, "lost in pairs", lost, "what saturating pairs to int16 takes away from the sum");
  return step(trace, "accumulator", wrapped(window.products - lost),
              window.int32_bias == 0 ? "sum of sat_int16(x0 * w0 + x1 * w1), int32"
                                     : "sum of sat_int16(x0 * w0 + x1 * w1) and the int32 bias, int32");
}

std::int32_t pairs_accumulator(const Window& window, Trace* trace) {
  return pairs_accumulator(window, lost_in_pairs(window, 0, window.x.size()), trace);
}

std::int32_t without_zero_points(const Window& window, std::int64_t accumulator, std::int64_t activations,
                                 Trace* trace) {
  const auto count = static_cast<std::int64_t>(window.x.size());
  const std::int64_t raw =
      accumulator - window.xz * window.weights - window.wz * activations + count * window.xz * window.wz;
  return step(trace, "raw", wrapped(raw), "accumulator - xz * sum(w) - wz * sum(x) + n * xz * wz, int32");
}

std::int32_t exact_sum(const Window& window, Trace* trace) {
  return without_zero_points(window, exact_accumulator(window, trace), window.activations, trace);
}

float with_float_bias(const Window& window, std::int32_t raw, Arithmetic::TensorBias tensor_bias, Trace* trace) {
  const auto f = static_cast<float>(raw);
  if (!window.bias) return f;
  const float bias = *window.bias;
  if (window.granularity == Granularity::per_channel) {
    const float steps = step(trace, "bias", bias / unit(window), "bias / (xs * ws), float32");
    return step(trace, "with bias", f + steps, "raw + bias, float32");
  }
  const float reciprocal = 1.0F / unit(window);
  if (tensor_bias == Arithmetic::TensorBias::separate) {
    const float steps = step(trace, "bias", bias * reciprocal, "bias * (1 / (xs * ws)), float32");
    return step(trace, "with bias", f + steps, "raw + bias, float32");
  }
  // The trace shows the product unrounded, as fma() uses it: the product of two floats is exact in double.
  step(trace, "bias", static_cast<double>(bias) * static_cast<double>(reciprocal),
       "bias * (1 / (xs * ws)), reciprocal in float32, product not rounded");
  return step(trace, "with bias", std::fma(bias, reciprocal, f), "raw + bias, float32, one rounding (fma)");
}

float float_multiplier(const Window& window, Trace* trace) {
  return step(trace, "multiplier", unit(window) / static_cast<float>(window.os), "(xs * ws) / os, float32");
}

std::int32_t to_int32(float integral) {
  const bool fits = integral >= -0x1p31F && integral < 0x1p31F;
  return fits ? static_cast<std::int32_t>(integral) : std::numeric_limits<std::int32_t>::min();
}

std::int32_t clamped_int32(double integral) {
  return std::isnan(integral) ? 0 : static_cast<std::int32_t>(std::clamp(integral, -0x1p31, 0x1p31 - 1));
}

std::uint8_t quantized(const Window& window, std::int32_t rounded, Trace* trace) {
  const auto oz = static_cast<std::int32_t>(window.oz);
  const std::int32_t q = step(trace, "with zero point", sat_int16(sat_int16(rounded) + oz), "rounded + oz, int16");
  const auto lowest = static_cast<std::int32_t>(lowest_output(window));
  const std::int32_t y = step(trace, "result", std::clamp(q, lowest, 255), "clamp to 0..255, or oz..255 with relu");
  return static_cast<std::uint8_t>(y);
}

float with_stored_zero_point(const Window& window, float scaled, Trace* trace) {
  return step(trace, "with zero point", scaled + static_cast<float>(window.oz - window.output_shift),
              "scaled + oz, float32, before rounding");
}

std::uint8_t saturated(const Window& window, double rounded, std::int64_t lowest, Trace* trace) {
  const double q = step(trace, "with zero point", rounded + static_cast<double>(window.oz), "rounded + oz");
  const auto low = static_cast<double>(lowest);
  const double y = std::isnan(q) ? low : std::clamp(q, low, 255.0);
  return static_cast<std::uint8_t>(step(trace, "result", y, "clamp to 0..255, or oz..255 with relu"));
}

std::uint8_t rounded_to_even(const Window& window, float scaled, Trace* trace) {
  const std::int32_t rounded =
      step(trace, "rounded", to_int32(ties_to_even(scaled)), "to nearest, ties to even; int32, beyond it INT32_MIN");
  return quantized(window, rounded, trace);
}

std::uint8_t requantized(const Window& window, std::int32_t raw, Arithmetic::TensorBias tensor_bias, Trace* trace) {
  const float sum = with_float_bias(window, raw, tensor_bias, trace);
  const float multiplier = float_multiplier(window, trace);
  const float scaled = step(trace, "scaled", sum * multiplier, "raw with bias * multiplier, float32");
  return rounded_to_even(window, scaled, trace);
}

}  // namespace tieout
