#include "oracle/hypotheses/hypothesis_ncnn.h"

#include <algorithm>
#include <cmath>

#include "oracle/element/requantization_steps.h"

namespace tieout {

std::uint8_t ncnn(const Window& window, Trace* trace) {
  const std::int32_t accumulator = exact_accumulator(window, trace);
  const auto raw = static_cast<float>(without_zero_points(window, accumulator, window.activations, trace));
  const float inverse_unit = (1.0F / static_cast<float>(window.xs)) * (1.0F / static_cast<float>(window.ws));
  const float scale_in = step(trace, "unit", 1.0F / inverse_unit, "1 / ((1 / xs) * (1 / ws)), float32");
  float v = 0;
  if (window.bias) {
    const float bias = step(trace, "bias", *window.bias, "in real units");
    v = step(trace, "real", std::fma(raw, scale_in, bias), "raw * unit + bias, float32, one rounding (fma)");
  } else {
    v = step(trace, "real", raw * scale_in, "raw * unit, float32");
  }
  if (window.relu == Relu::on) v = step(trace, "relu", v > 0 ? v : 0.0F, "max(real, 0)");
  const float scaled =
      step(trace, "scaled", v * (1.0F / static_cast<float>(window.os)), "real * (1 / os), both float32");
  const std::int32_t rounded = step(trace, "rounded", std::clamp(to_int32(std::round(scaled)), -127, 127),
                                    "to nearest, ties away from 0; int32, beyond it INT32_MIN; clamp to -127..127");
  return saturated(window, rounded, lowest_output(window), trace);
}

}  // namespace tieout
