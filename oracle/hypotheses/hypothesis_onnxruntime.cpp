#include "oracle/hypotheses/hypothesis_onnxruntime.h"

#include <algorithm>
#include <cmath>

#include "cases/case_predicates.h"
#include "oracle/element/requantization_steps.h"
#include "oracle/element/ties_to_even.h"

namespace tieout {
namespace {

std::uint8_t requantized_there(const Window& window, std::int32_t raw, Trace* trace) {
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

}  // namespace

std::uint8_t onnxruntime(const Window& window, Trace* trace) {
  return requantized_there(window, exact_sum(window, trace), trace);
}

std::int32_t onnxruntime_sum_of_int16_pairs(const Window& window, Trace* trace) {
  if (is_depthwise(*window.spec)) return exact_sum(window, trace);
  return without_zero_points(window, pairs_accumulator(window, trace), window.activations, trace);
}

std::uint8_t onnxruntime_int16_pairs(const Window& window, Trace* trace) {
  return requantized_there(window, onnxruntime_sum_of_int16_pairs(window, trace), trace);
}

}  // namespace tieout
