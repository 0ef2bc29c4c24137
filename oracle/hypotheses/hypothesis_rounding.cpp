#include "oracle/hypotheses/hypothesis_rounding.h"

#include <cmath>

#include "oracle/element/requantization_steps.h"

namespace tieout {
namespace {

std::uint8_t rounded_by(const Window& window, float (*round)(float), std::string_view note, Trace* trace) {
  const std::int32_t accumulator = exact_accumulator(window, trace);
  const std::int32_t raw = without_zero_points(window, accumulator, window.activations, trace);
  const float sum = with_float_bias(window, raw, Arithmetic::TensorBias::fused, trace);
  const float multiplier = float_multiplier(window, trace);
  const float scaled = step(trace, "scaled", sum * multiplier, "raw with bias * multiplier, float32");
  return quantized(window, step(trace, "rounded", to_int32(round(scaled)), note), trace);
}

// v - floor(v) and ceil(v) - v are exact; v + 0.5 is not: 0.49999997 + 0.5 is 1 in float32.
float half_up(float v) { return v - std::floor(v) >= 0.5F ? std::ceil(v) : std::floor(v); }
float half_down(float v) { return std::ceil(v) - v >= 0.5F ? std::floor(v) : std::ceil(v); }

}  // namespace

std::uint8_t round_half_away(const Window& window, Trace* trace) {
  return rounded_by(window, [](float v) { return std::round(v); }, "to nearest, ties away from 0", trace);
}

std::uint8_t round_half_up(const Window& window, Trace* trace) {
  return rounded_by(window, half_up, "to nearest, ties up", trace);
}

std::uint8_t round_half_down(const Window& window, Trace* trace) {
  return rounded_by(window, half_down, "to nearest, ties down", trace);
}

std::uint8_t round_toward_zero(const Window& window, Trace* trace) {
  return rounded_by(window, [](float v) { return std::trunc(v); }, "toward 0", trace);
}

std::uint8_t round_down(const Window& window, Trace* trace) {
  return rounded_by(window, [](float v) { return std::floor(v); }, "down", trace);
}

}  // namespace tieout
