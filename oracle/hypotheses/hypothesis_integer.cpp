#include "oracle/hypotheses/hypothesis_integer.h"

#include <algorithm>

#include "oracle/element/requantization_steps.h"
#include "oracle/engines/engine_model.h"

namespace tieout {
namespace {

constexpr Arithmetic kPairs{.products = Arithmetic::Products::int16_pairs};
constexpr Arithmetic kDepthwise{.products = Arithmetic::Products::int16_pairs,
                                .activation_sum = Arithmetic::ActivationSum::int16,
                                .tensor_bias = Arithmetic::TensorBias::separate};

// Returns raw, where `sum` adds the products of activations as they are stored, which int8 ones are 128 lower than x,
// and no bias.
std::int32_t from_stored_sum(const Window& window, std::int32_t sum, Trace* trace) {
  const std::int64_t shifted = sum + stored_shift(window.spec->activation_type) * window.weights;
  return without_zero_points(window, shifted + window.int32_bias, window.activations, trace);
}

}  // namespace

std::uint8_t integer_float32(const Window& window, Trace* trace) { return fbgemm_model(window, {}, trace); }

std::uint8_t integer_separate_bias(const Window& window, Trace* trace) {
  return fbgemm_model(window, {.tensor_bias = Arithmetic::TensorBias::separate}, trace);
}

std::uint8_t integer_int16_pairs(const Window& window, Trace* trace) { return fbgemm_model(window, kPairs, trace); }

std::uint8_t integer_depthwise(const Window& window, Trace* trace) { return fbgemm_model(window, kDepthwise, trace); }

std::int32_t sum_of_int16_pairs(const Window& window, Trace* trace) { return fbgemm_sum(window, kPairs, trace); }

std::int32_t depthwise_sum(const Window& window, Trace* trace) { return fbgemm_sum(window, kDepthwise, trace); }

std::int32_t int16_saturating_sum(const Window& window, Trace* trace) {
  const int shift = stored_shift(window.spec->activation_type);
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < window.x.size(); ++i) {
    sum = std::clamp(sum + (window.x[i] - shift) * window.w[i], -32768, 32767);
  }
  step(trace, "accumulator", sum, "sum of x * w, int16, every partial sum saturated");
  return from_stored_sum(window, sum, trace);
}

std::int32_t int16_wrapping_sum(const Window& window, Trace* trace) {
  const std::int64_t products = window.products - window.int32_bias;
  const std::int64_t stored = products - stored_shift(window.spec->activation_type) * window.weights;
  return from_stored_sum(
      window, step(trace, "accumulator", static_cast<std::int16_t>(stored), "sum of x * w, int16, wraps"), trace);
}

std::uint8_t int16_saturating(const Window& window, Trace* trace) {
  return requantized(window, int16_saturating_sum(window, trace), Arithmetic::TensorBias::fused, trace);
}

std::uint8_t int16_wrapping(const Window& window, Trace* trace) {
  return requantized(window, int16_wrapping_sum(window, trace), Arithmetic::TensorBias::fused, trace);
}

}  // namespace tieout
