#include "oracle/hypotheses/hypothesis_bias.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "oracle/element/requantization_steps.h"
#include "oracle/element/ties_to_even.h"

namespace tieout {
namespace {

std::uint8_t with_int32_bias(const Window& window, double (*round)(double), std::string_view note, Trace* trace) {
  const std::int32_t accumulator = exact_accumulator(window, trace);
  std::int32_t raw = without_zero_points(window, accumulator, window.activations, trace);
  if (window.bias) {
    const double steps = static_cast<double>(*window.bias) / (window.xs * window.ws);
    const std::int32_t bias = step(trace, "bias", clamped_int32(round(steps)), note);
    raw = step(trace, "with bias", wrapped(std::int64_t{raw} + bias), "raw + bias, int32");
  }
  const float multiplier = float_multiplier(window, trace);
  const float scaled =
      step(trace, "scaled", static_cast<float>(raw) * multiplier, "raw with bias * multiplier, float32");
  return rounded_to_even(window, scaled, trace);
}

}  // namespace

std::uint8_t bias_int32(const Window& window, Trace* trace) {
  return with_int32_bias(window, ties_to_even<double>, "bias / (xs * ws), to nearest, ties to even, int32", trace);
}

std::uint8_t bias_int32_half_away(const Window& window, Trace* trace) {
  return with_int32_bias(
      window, [](double v) { return std::round(v); }, "bias / (xs * ws), to nearest, ties away from 0, int32", trace);
}

std::uint8_t bias_int32_truncated(const Window& window, Trace* trace) {
  return with_int32_bias(window, [](double v) { return std::trunc(v); }, "bias / (xs * ws), toward 0, int32", trace);
}

std::int32_t with_tflite_bias(const Window& window, std::int32_t raw, Trace* trace) {
  if (!window.bias) return raw;
  const float unit = static_cast<float>(window.xs) * static_cast<float>(window.ws);
  const float reciprocal = unit == 0 ? 0.0F : 1.0F / unit;
  const std::int32_t lowest = -std::numeric_limits<std::int32_t>::max();
  const std::int32_t bias = step(trace, "bias", std::max(clamped_int32(std::round(*window.bias * reciprocal)), lowest),
                                 "bias * (1 / (xs * ws)), float32, to nearest, ties away from 0, int32");
  return step(trace, "with bias", wrapped(std::int64_t{raw} + bias), "raw + bias, int32");
}

}  // namespace tieout
