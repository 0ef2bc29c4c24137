#include "oracle/hypotheses/hypothesis_fixed_point.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "oracle/element/requantization_steps.h"

namespace tieout {
namespace {

constexpr std::int32_t kInt32Min = std::numeric_limits<std::int32_t>::min();
constexpr std::int32_t kInt32Max = std::numeric_limits<std::int32_t>::max();

// The value mantissa / 2^31 * 2^shift.
struct FixedPoint {
  std::int32_t mantissa = 0;
  int shift = 0;
};

// multiplier: positive and finite.
FixedPoint fixed_point(double multiplier) {
  int shift = 0;
  const double fraction = std::frexp(multiplier, &shift);
  auto mantissa = static_cast<std::int64_t>(std::round(std::ldexp(fraction, 31)));
  if (mantissa == std::int64_t{1} << 31) {
    mantissa /= 2;
    ++shift;
  }
  if (shift < -31) return {};
  return {static_cast<std::int32_t>(mantissa), shift};
}

// Returns a * b / 2^31 with ties up, as ARM's VQRDMULH does; the one product that does not fit becomes INT32_MAX.
std::int32_t doubling_high_product(std::int32_t a, std::int32_t b) {
  if (a == kInt32Min && b == kInt32Min) return kInt32Max;
  return static_cast<std::int32_t>((std::int64_t{a} * b + (std::int64_t{1} << 30)) >> 31);
}

// Returns x / 2^exponent with ties away from zero. exponent: 0..31.
std::int32_t divided_by_power(std::int32_t x, int exponent) {
  const std::int64_t half = exponent == 0 ? 0 : std::int64_t{1} << (exponent - 1);
  const std::int64_t magnitude = (std::abs(std::int64_t{x}) + half) >> exponent;
  return static_cast<std::int32_t>(x < 0 ? -magnitude : magnitude);
}

std::int32_t scaled_twice_rounded(std::int32_t x, FixedPoint m, Trace* trace) {
  // A shift by 32 or more leaves nothing of x; TensorFlow Lite leaves such shifts undefined.
  const int left = std::clamp(m.shift, 0, 32);
  const std::int32_t shifted = wrapped(std::int64_t{x} * (std::int64_t{1} << left));
  const std::int32_t high = step(trace, "high product", doubling_high_product(shifted, m.mantissa),
                                 "raw * 2^max(shift, 0) * mantissa / 2^31, to nearest, ties up");
  return divided_by_power(high, std::max(-m.shift, 0));
}

std::int32_t scaled_once_rounded(std::int32_t x, FixedPoint m) {
  if (m.shift > 30) m = {kInt32Max, 30};
  const int shift = 31 - m.shift;  // 1..62
  return static_cast<std::int32_t>((std::int64_t{x} * m.mantissa + (std::int64_t{1} << (shift - 1))) >> shift);
}

std::int32_t raw_with_bias(const Window& window, Trace* trace) {
  const std::int32_t accumulator = exact_accumulator(window, trace);
  const std::int32_t raw = without_zero_points(window, accumulator, window.activations, trace);
  if (!window.bias) return raw;
  const float unit = static_cast<float>(window.xs) * static_cast<float>(window.ws);
  const float reciprocal = unit == 0 ? 0.0F : 1.0F / unit;
  const std::int32_t bias =
      step(trace, "bias", std::max(clamped_int32(std::round(*window.bias * reciprocal)), -kInt32Max),
           "bias * (1 / (xs * ws)), float32, to nearest, ties away from 0, int32");
  return step(trace, "with bias", wrapped(std::int64_t{raw} + bias), "raw + bias, int32");
}

FixedPoint fixed_multiplier(double multiplier, std::string_view formula, Trace* trace) {
  step(trace, "multiplier", multiplier, formula);
  const FixedPoint m = fixed_point(multiplier);
  step(trace, "mantissa", m.mantissa, "of the multiplier, * 2^31, int32");
  step(trace, "shift", m.shift, "of the multiplier: mantissa / 2^31 * 2^shift");
  return m;
}

std::uint8_t finished(const Window& window, std::int32_t scaled, Trace* trace) {
  step(trace, "rounded", scaled, "scaled and rounded in integers");
  const std::int32_t q = step(trace, "with zero point", wrapped(scaled + window.oz), "rounded + oz, int32");
  const std::int64_t y = std::clamp<std::int64_t>(q, lowest_output(window), 255);
  return static_cast<std::uint8_t>(step(trace, "result", y, "clamp to 0..255, or oz..255 with relu"));
}

double float64_multiplier(const Window& window) {
  const auto xs = static_cast<double>(static_cast<float>(window.xs));
  const auto ws = static_cast<double>(static_cast<float>(window.ws));
  return xs * ws / static_cast<double>(static_cast<float>(window.os));
}

}  // namespace

std::uint8_t gemmlowp(const Window& window, Trace* trace) {
  const std::int32_t raw = raw_with_bias(window, trace);
  const float unit = static_cast<float>(window.xs) * static_cast<float>(window.ws);
  const double multiplier = static_cast<double>(unit) / static_cast<double>(static_cast<float>(window.os));
  const FixedPoint m = std::isfinite(multiplier) && multiplier > 0
                           ? fixed_multiplier(multiplier, "float(xs * ws) / os, float64", trace)
                           : FixedPoint{};
  return finished(window, scaled_twice_rounded(raw, m, trace), trace);
}

std::uint8_t tflite(const Window& window, Trace* trace) {
  const std::int32_t raw = raw_with_bias(window, trace);
  const FixedPoint m = fixed_multiplier(float64_multiplier(window), "xs * ws / os, float64", trace);
  return finished(window, scaled_twice_rounded(raw, m, trace), trace);
}

std::uint8_t tflite_single_rounding(const Window& window, Trace* trace) {
  const std::int32_t raw = raw_with_bias(window, trace);
  const FixedPoint m = fixed_multiplier(float64_multiplier(window), "xs * ws / os, float64", trace);
  return finished(window, scaled_once_rounded(raw, m), trace);
}

}  // namespace tieout
