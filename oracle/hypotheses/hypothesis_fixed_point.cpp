#include "oracle/hypotheses/hypothesis_fixed_point.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "oracle/element/requantization_steps.h"
#include "oracle/hypotheses/hypothesis_bias.h"

namespace tieout {
namespace {

constexpr std::int32_t kInt32Min = std::numeric_limits<std::int32_t>::min();
constexpr std::int32_t kInt32Max = std::numeric_limits<std::int32_t>::max();
constexpr int kNoLimit = std::numeric_limits<int>::min();

// multiplier: positive and finite. lowest_shift: a multiplier with a lower shift becomes 0.
FixedPoint fixed_point(double multiplier, int lowest_shift) {
  int shift = 0;
  const double fraction = std::frexp(multiplier, &shift);
  auto mantissa = static_cast<std::int64_t>(std::round(std::ldexp(fraction, 31)));
  if (mantissa == std::int64_t{1} << 31) {
    mantissa /= 2;
    ++shift;
  }
  if (shift < lowest_shift) return {};
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

// Returns raw * m as ARM's vqshl, vqdmulh and vrshl compute it: saturating to the left, then rounded down to a product
// of 32 bits, then to the right by at least 1, ties up. That is one rounding, because the last one includes the first.
std::int32_t scaled_by_rndnu(std::int32_t x, FixedPoint m, Trace* trace) {
  const int right = std::max(-m.shift, 1);
  if (right > 31) return 0;  // XNNPACK refuses such multipliers
  const int left = std::min(right + m.shift, 32);
  const std::int64_t shifted =
      std::clamp<std::int64_t>(std::int64_t{x} * (std::int64_t{1} << left), kInt32Min, kInt32Max);
  const std::int64_t high = step(trace, "high product", (shifted * m.mantissa) >> 31,
                                 "raw * 2^max(shift + 1, 0) * mantissa / 2^31, rounded down");
  return static_cast<std::int32_t>((high + (std::int64_t{1} << (right - 1))) >> right);
}

// Returns raw * m with one rounding. Sums are int64 and wrap; ties_up: ties are rounded up, not away from zero.
std::int32_t scaled_in_int64(std::int32_t x, FixedPoint m, bool ties_up) {
  const int left = std::max(m.shift, 0);
  const int right = 31 + std::max(-m.shift, 0);
  // TVM leaves larger shifts undefined. To the left nothing of x remains in 64 bits, to the right at most a half.
  if (left > 63 || right > 63) return 0;
  const std::uint64_t wide =
      (static_cast<std::uint64_t>(std::int64_t{x}) << left) * static_cast<std::uint64_t>(m.mantissa);
  const std::uint64_t half = std::uint64_t{1} << (right - 1);
  const bool down = !ties_up && static_cast<std::int64_t>(wide) < 0;
  return wrapped(static_cast<std::int64_t>(wide + half - (down ? 1 : 0)) >> right);
}

std::int32_t raw_with_tflite_bias(const Window& window, Trace* trace) {
  return with_tflite_bias(window, exact_sum(window, trace), trace);
}

float unit(const Window& window) { return static_cast<float>(window.xs) * static_cast<float>(window.ws); }

std::int32_t raw_with_tvm_bias(const Window& window, Trace* trace) {
  const std::int32_t raw = exact_sum(window, trace);
  if (!window.bias) return raw;
  const std::int32_t bias = step(trace, "bias", clamped_int32(std::round(*window.bias / unit(window))),
                                 "bias / float(xs * ws), float32, to nearest, ties away from 0, int32");
  return step(trace, "with bias", wrapped(std::int64_t{raw} + bias), "raw + bias, int32");
}

FixedPoint recorded(FixedPoint m, Trace* trace) {
  step(trace, "mantissa", m.mantissa, "of the multiplier, * 2^31, int32");
  step(trace, "shift", m.shift, "of the multiplier: mantissa / 2^31 * 2^shift");
  return m;
}

// The multipliers are those of the window if it has one.
FixedPoint multiplier_of_doubles(const Window& window, Trace* trace) {
  if (window.multiplier) return recorded(*window.multiplier, trace);
  const auto xs = static_cast<double>(static_cast<float>(window.xs));
  const auto ws = static_cast<double>(static_cast<float>(window.ws));
  const double multiplier = xs * ws / static_cast<double>(static_cast<float>(window.os));
  step(trace, "multiplier", multiplier, "xs * ws / os, float64");
  return recorded(fixed_point(multiplier, -31), trace);
}

FixedPoint multiplier_of_float_product(const Window& window, int lowest_shift, Trace* trace) {
  if (window.multiplier) return recorded(*window.multiplier, trace);
  const double multiplier = static_cast<double>(unit(window)) / static_cast<double>(static_cast<float>(window.os));
  if (!std::isfinite(multiplier) || multiplier <= 0) return {};
  step(trace, "multiplier", multiplier, "float(xs * ws) / os, float64");
  return recorded(fixed_point(multiplier, lowest_shift), trace);
}

std::uint8_t finished(const Window& window, std::int32_t scaled, Trace* trace) {
  step(trace, "rounded", scaled, "scaled and rounded in integers");
  const std::int32_t q = step(trace, "with zero point", wrapped(scaled + window.oz), "rounded + oz, int32");
  const std::int64_t y = std::clamp<std::int64_t>(q, lowest_output(window), 255);
  return static_cast<std::uint8_t>(step(trace, "result", y, "clamp to 0..255, or oz..255 with relu"));
}

}  // namespace

std::uint8_t gemmlowp(const Window& window, Trace* trace) {
  const std::int32_t raw = raw_with_tflite_bias(window, trace);
  const FixedPoint m = multiplier_of_float_product(window, -31, trace);
  return finished(window, scaled_twice_rounded(raw, m, trace), trace);
}

std::uint8_t tflite(const Window& window, Trace* trace) {
  const std::int32_t raw = raw_with_tflite_bias(window, trace);
  const FixedPoint m = multiplier_of_doubles(window, trace);
  return finished(window, scaled_twice_rounded(raw, m, trace), trace);
}

std::uint8_t tflite_single_rounding(const Window& window, Trace* trace) {
  const std::int32_t raw = raw_with_tflite_bias(window, trace);
  const FixedPoint m = multiplier_of_doubles(window, trace);
  return finished(window, scaled_once_rounded(raw, m), trace);
}

std::uint8_t xnnpack_rndnu(const Window& window, Trace* trace) {
  const std::int32_t raw = raw_with_tflite_bias(window, trace);
  FixedPoint m;
  if (window.multiplier) {
    m = recorded(*window.multiplier, trace);
  } else if (const float multiplier = float_multiplier(window, trace); std::isfinite(multiplier) && multiplier > 0) {
    m = recorded(fixed_point(static_cast<double>(multiplier), -31), trace);
  }
  const std::int32_t rounded = step(trace, "rounded", scaled_by_rndnu(raw, m, trace), "scaled and rounded in integers");
  return saturated(window, rounded, lowest_output(window), trace);
}

std::uint8_t tvm(const Window& window, Trace* trace) {
  const std::int32_t raw = raw_with_tvm_bias(window, trace);
  const FixedPoint m = multiplier_of_float_product(window, kNoLimit, trace);
  return finished(window, scaled_in_int64(raw, m, true), trace);
}

std::uint8_t tvm_to_nearest(const Window& window, Trace* trace) {
  const std::int32_t raw = raw_with_tvm_bias(window, trace);
  const FixedPoint m = multiplier_of_float_product(window, kNoLimit, trace);
  return finished(window, scaled_in_int64(raw, m, false), trace);
}

}  // namespace tieout
