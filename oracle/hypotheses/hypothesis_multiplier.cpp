#include "oracle/hypotheses/hypothesis_multiplier.h"

#include "oracle/element/requantization_steps.h"

namespace tieout {
namespace {

std::uint8_t multiplied(const Window& window, float multiplier, std::string_view formula, Trace* trace) {
  const std::int32_t accumulator = exact_accumulator(window, trace);
  const std::int32_t raw = without_zero_points(window, accumulator, window.activations, trace);
  const float sum = with_float_bias(window, raw, Arithmetic::TensorBias::fused, trace);
  step(trace, "multiplier", multiplier, formula);
  const float scaled = step(trace, "scaled", sum * multiplier, "raw with bias * multiplier, float32");
  return rounded_to_even(window, scaled, trace);
}

}  // namespace

std::uint8_t multiplier_weight_over_output(const Window& window, Trace* trace) {
  const float quotient = static_cast<float>(window.ws) / static_cast<float>(window.os);
  return multiplied(window, static_cast<float>(window.xs) * quotient, "xs * (ws / os), float32", trace);
}

std::uint8_t multiplier_activation_over_output(const Window& window, Trace* trace) {
  const float quotient = static_cast<float>(window.xs) / static_cast<float>(window.os);
  return multiplied(window, quotient * static_cast<float>(window.ws), "(xs / os) * ws, float32", trace);
}

std::uint8_t multiplier_reciprocal(const Window& window, Trace* trace) {
  const float unit = static_cast<float>(window.xs) * static_cast<float>(window.ws);
  const float reciprocal = 1.0F / static_cast<float>(window.os);
  return multiplied(window, unit * reciprocal, "(xs * ws) * (1 / os), float32", trace);
}

std::uint8_t multiplier_float64(const Window& window, Trace* trace) {
  const double multiplier = window.xs * window.ws / window.os;
  return multiplied(window, static_cast<float>(multiplier), "xs * ws / os in float64, rounded to float32", trace);
}

}  // namespace tieout
