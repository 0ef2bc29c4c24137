#include "oracle/hypotheses/hypothesis_integer.h"

#include <algorithm>

#include "oracle/element/requantization_steps.h"
#include "oracle/engines/engine_model.h"

namespace tieout {

std::uint8_t integer_float32(const Window& window, Trace* trace) { return fbgemm_model(window, {}, trace); }

std::uint8_t integer_separate_bias(const Window& window, Trace* trace) {
  return fbgemm_model(window, {.tensor_bias = Arithmetic::TensorBias::separate}, trace);
}

std::uint8_t integer_int16_pairs(const Window& window, Trace* trace) {
  return fbgemm_model(window, {.products = Arithmetic::Products::int16_pairs}, trace);
}

std::uint8_t integer_depthwise(const Window& window, Trace* trace) {
  return fbgemm_model(window,
                      {.products = Arithmetic::Products::int16_pairs,
                       .activation_sum = Arithmetic::ActivationSum::int16,
                       .tensor_bias = Arithmetic::TensorBias::separate},
                      trace);
}

std::uint8_t int16_saturating(const Window& window, Trace* trace) {
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < window.x.size(); ++i) sum = std::clamp(sum + window.x[i] * window.w[i], -32768, 32767);
  step(trace, "accumulator", sum, "sum of x * w, int16, every partial sum saturated");
  const std::int32_t raw = without_zero_points(window, sum, window.activations, trace);
  return requantized(window, raw, Arithmetic::TensorBias::fused, trace);
}

std::uint8_t int16_wrapping(const Window& window, Trace* trace) {
  const auto sum = step(trace, "accumulator", static_cast<std::int16_t>(window.products), "sum of x * w, int16, wraps");
  const std::int32_t raw = without_zero_points(window, sum, window.activations, trace);
  return requantized(window, raw, Arithmetic::TensorBias::fused, trace);
}

}  // namespace tieout
