#include "oracle/hypotheses/hypothesis_tensorrt.h"

#include <cmath>

#include "oracle/element/requantization_steps.h"
#include "oracle/element/ties_to_even.h"

namespace tieout {

std::uint8_t tensorrt(const Window& window, Trace* trace) {
  const std::int32_t accumulator = exact_accumulator(window, trace);
  const auto raw = static_cast<float>(without_zero_points(window, accumulator, window.activations, trace));
  const float multiplier = float_multiplier(window, trace);
  float scaled = 0;
  if (window.bias) {
    const float bias = step(trace, "bias", *window.bias / static_cast<float>(window.os), "bias / os, float32");
    scaled =
        step(trace, "scaled", std::fma(raw, multiplier, bias), "raw * multiplier + bias, float32, one rounding (fma)");
  } else {
    scaled = step(trace, "scaled", raw * multiplier, "raw * multiplier, float32");
  }
  const float rounded = step(trace, "rounded", ties_to_even(scaled), "to nearest, ties to even, float32");
  return saturated(window, static_cast<double>(rounded), lowest_output(window), trace);
}

}  // namespace tieout
