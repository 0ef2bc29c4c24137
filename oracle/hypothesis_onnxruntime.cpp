#include "oracle/hypothesis_onnxruntime.h"

#include <algorithm>
#include <cmath>

#include "oracle/steps.h"
#include "oracle/ties_to_even.h"

namespace tieout {

std::uint8_t onnxruntime(const Window& window, Trace* trace) {
  const std::int32_t accumulator = exact_accumulator(window, trace);
  std::int32_t raw = without_zero_points(window, accumulator, window.activations, trace);
  if (window.bias) {
    const float unit = static_cast<float>(window.xs) * static_cast<float>(window.ws);
    const double steps = static_cast<double>(*window.bias) / static_cast<double>(unit);
    const std::int32_t bias = step(trace, "bias", clamped_int32(ties_to_even(steps)),
                                   "bias / float(xs * ws), to nearest, ties to even, int32");
    raw = step(trace, "with bias", wrapped(std::int64_t{raw} + bias), "raw + bias, int32");
  }
  const float multiplier = float_multiplier(window, trace);
  const float scaled =
      step(trace, "scaled", static_cast<float>(raw) * multiplier, "raw with bias * multiplier, float32");
  const auto lowest = static_cast<float>(-window.oz);
  const auto highest = static_cast<float>(255 - window.oz);
  const float clamped = std::isnan(scaled) ? lowest : std::clamp(scaled, lowest, highest);
  const float rounded =
      step(trace, "rounded", ties_to_even(clamped), "clamp to 0 - oz..255 - oz; to nearest, ties to even");
  return saturated(window, static_cast<double>(rounded), lowest_output(window), trace);
}

}  // namespace tieout
