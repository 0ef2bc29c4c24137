#include <algorithm>
#include <cmath>
#include <limits>

#include "cases/case_predicates.h"
#include "oracle/element/requantization_steps.h"
#include "oracle/element/ties_to_even.h"
#include "oracle/engines/engine_model.h"

namespace tieout {
namespace {

constexpr std::int32_t kInt32Min = std::numeric_limits<std::int32_t>::min();
constexpr std::int32_t kInt32Max = std::numeric_limits<std::int32_t>::max();

// True for a convolution that QNNPACK computes as a matrix product without im2col.
bool is_gemm(const ConvCase& c) {
  const Spatial ones{1, 1, 1};
  return c.kernel == ones && c.stride == ones && c.padding == Spatial{};
}

bool is_depthwise_3x3x3(const ConvCase& c) { return c.dims == 3 && is_depthwise(c) && c.kernel == Spatial{3, 3, 3}; }

std::int32_t rounded_bias(const Window& window) {
  const float reciprocal = 1.0F / static_cast<float>(window.ws * window.xs);
  const float steps = window.bias.value_or(0.0F) * reciprocal;
  if (steps >= 0x1p31F) return is_gemm(*window.spec) ? kInt32Max : kInt32Min;
  return to_int32(ties_to_even(steps));
}

std::uint8_t requantized_in_double(const Window& window, std::int32_t raw, float multiplier, Trace* trace) {
  const double scaled =
      step(trace, "scaled", static_cast<double>(raw) * static_cast<double>(multiplier), "raw * multiplier, float64");
  const double nearest = ties_to_even(scaled);
  const bool fits = nearest >= -0x1p31 && nearest < 0x1p31;
  const std::int32_t rounded = step(trace, "rounded", fits ? static_cast<std::int32_t>(nearest) : kInt32Min,
                                    "to nearest, ties to even; int32, beyond it INT32_MIN");
  const std::int32_t q =
      step(trace, "with zero point", wrapped(std::int64_t{rounded} + window.oz), "rounded + oz, int32");
  const auto lowest = static_cast<std::int32_t>(lowest_output(window));
  const std::int32_t y = step(trace, "result", std::clamp(q, lowest, 255), "clamp to 0..255, or oz..255 with relu");
  return static_cast<std::uint8_t>(y);
}

}  // namespace

std::uint8_t qnnpack_model(const Window& window, Trace* trace) {
  const std::int32_t accumulator = exact_accumulator(window, trace);
  std::int32_t raw = without_zero_points(window, accumulator, window.activations, trace);
  const std::int32_t bias =
      step(trace, "bias", rounded_bias(window), "bias * (1 / (xs * ws)), rounded to int32, ties to even");
  raw = step(trace, "with bias", wrapped(std::int64_t{raw} + bias), "raw + bias, int32");
  const float unit = static_cast<float>(window.ws) * static_cast<float>(window.xs);
  const float multiplier =
      step(trace, "multiplier", unit * (1.0F / static_cast<float>(window.os)), "(ws * xs) * (1 / os), float32");
  if (is_depthwise_3x3x3(*window.spec)) return requantized_in_double(window, raw, multiplier, trace);
  const float scaled = step(trace, "scaled", static_cast<float>(raw) * multiplier, "raw * multiplier, float32");
  return rounded_to_even(window, scaled, trace);
}

}  // namespace tieout
