#include "oracle/hypotheses/hypothesis_order.h"

#include <algorithm>

#include "oracle/element/requantization_steps.h"
#include "oracle/element/ties_to_even.h"

namespace tieout {
namespace {

float sum_with_fused_bias(const Window& window, Trace* trace) {
  return with_float_bias(window, exact_sum(window, trace), Arithmetic::TensorBias::fused, trace);
}

// The last steps of relu_first and relu_at_zero: rounding and a clamp to lowest..255 without relu.
std::uint8_t without_relu(const Window& window, float scaled, std::int64_t lowest, Trace* trace) {
  const std::int32_t rounded =
      step(trace, "rounded", to_int32(ties_to_even(scaled)), "to nearest, ties to even; int32, beyond it INT32_MIN");
  return saturated(window, rounded, lowest, trace);
}

}  // namespace

std::uint8_t zero_point_first(const Window& window, Trace* trace) {
  const float sum = sum_with_fused_bias(window, trace);
  const float scaled =
      step(trace, "scaled", sum * float_multiplier(window, trace), "raw with bias * multiplier, float32");
  const float q = with_stored_zero_point(window, scaled, trace);
  const std::int32_t rounded =
      step(trace, "rounded", to_int32(ties_to_even(q)), "to nearest, ties to even; int32, beyond it INT32_MIN");
  const std::int64_t y = std::clamp<std::int64_t>(rounded + window.output_shift, lowest_output(window), 255);
  return static_cast<std::uint8_t>(step(trace, "result", y, "clamp to 0..255, or oz..255 with relu"));
}

std::uint8_t onednn_output_scale(const Window& window, Trace* trace) {
  auto sum = static_cast<float>(exact_sum(window, trace));
  if (window.bias) {
    const float unit = static_cast<float>(window.xs) * static_cast<float>(window.ws);
    const float steps = step(trace, "bias", *window.bias / unit, "bias / float(xs * ws), float32");
    sum = step(trace, "with bias", sum + steps, "raw + bias, float32");
  }
  float v = step(trace, "scaled", sum * float_multiplier(window, trace), "raw with bias * multiplier, float32");
  if (window.relu == Relu::on) v = step(trace, "relu", v > 0 ? v : 0.0F, "max(scaled, 0)");
  v = with_stored_zero_point(window, v, trace);
  const auto lowest = static_cast<float>(-window.output_shift);
  const float clamped = v > lowest ? std::min(v, lowest + 255.0F) : lowest;
  const float rounded = step(trace, "rounded", ties_to_even(clamped), "clamp to 0..255; to nearest, ties to even");
  return step(trace, "result", static_cast<std::uint8_t>(static_cast<std::int64_t>(rounded) + window.output_shift),
              "as uint8");
}

std::uint8_t relu_first(const Window& window, Trace* trace) {
  float sum = sum_with_fused_bias(window, trace);
  if (window.relu == Relu::on) sum = step(trace, "relu", sum > 0 ? sum : 0.0F, "max(raw with bias, 0)");
  const float multiplier = float_multiplier(window, trace);
  return without_relu(window, step(trace, "scaled", sum * multiplier, "relu * multiplier, float32"), 0, trace);
}

std::uint8_t relu_at_zero(const Window& window, Trace* trace) {
  const float sum = sum_with_fused_bias(window, trace);
  const float multiplier = float_multiplier(window, trace);
  // Of an int8 output the stored value 0 is 128 here.
  const std::int64_t lowest = window.relu == Relu::on ? window.output_shift : 0;
  const float scaled = step(trace, "scaled", sum * multiplier, "raw with bias * multiplier, float32");
  return without_relu(window, scaled, lowest, trace);
}

std::uint8_t bias_after_scaling(const Window& window, Trace* trace) {
  const auto sum = static_cast<float>(exact_sum(window, trace));
  float scaled = step(trace, "scaled", sum * float_multiplier(window, trace), "raw * multiplier, float32");
  if (window.bias) {
    const float steps = step(trace, "bias", *window.bias / static_cast<float>(window.os), "bias / os, float32");
    scaled = step(trace, "with bias", scaled + steps, "scaled + bias, float32");
  }
  return rounded_to_even(window, scaled, trace);
}

}  // namespace tieout
