#pragma once
// Provides the integer arithmetic by which other libraries compute quantized operators of elements. Functions return
// the result in the output's units, without the output's zero point.
//
// Sources: TensorFlow Lite, lite/kernels/internal/ (common.h, quantization_util.cc, reference/add.h, mul.h,
// reference/leaky_relu.h); XNNPACK, src/microparams-init.c (qu8_add_minmax), src/qs8-vadd/scalar.c.in.

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace tieout::fixed_point_variants {

// Returns x times a multiplier of 31 bits and a power of two, rounded twice: ties up to a multiple of 2^-31 of the
// shifted product, then ties away from zero.
[[nodiscard]] inline std::int64_t tflite_scaled(std::int64_t x, double multiplier) {
  int exponent = 0;
  const double fraction = std::frexp(multiplier, &exponent);
  auto mantissa = static_cast<std::int64_t>(std::round(std::ldexp(fraction, 31)));
  if (mantissa == std::int64_t{1} << 31) {
    mantissa /= 2;
    ++exponent;
  }
  if (exponent < -31) return 0;
  const std::int64_t shifted = x * (std::int64_t{1} << std::max(exponent, 0));
  const std::int64_t high = (shifted * mantissa + (std::int64_t{1} << 30)) >> 31;
  return static_cast<std::int64_t>(std::round(std::ldexp(static_cast<double>(high), std::min(exponent, 0))));
}

// a, b: differences from the zero points.
[[nodiscard]] inline std::int64_t tflite_sum(std::int64_t a, float a_scale, std::int64_t b, float b_scale,
                                             float scale) {
  constexpr double kShift = 0x1p20;
  const double twice_largest = 2 * std::max(a_scale, b_scale);
  const std::int64_t sum = tflite_scaled(a * static_cast<std::int64_t>(kShift), a_scale / twice_largest) +
                           tflite_scaled(b * static_cast<std::int64_t>(kShift), b_scale / twice_largest);
  return tflite_scaled(sum, twice_largest / (kShift * scale));
}

// The multipliers have 21 bits, those of the larger ratio of scales; a tie is rounded up.
[[nodiscard]] inline std::int64_t xnnpack_sum(std::int64_t a, float a_scale, std::int64_t b, float b_scale,
                                              float scale) {
  const float a_ratio = a_scale / scale, b_ratio = b_scale / scale;
  const int shift = std::clamp(20 - std::ilogb(std::max(a_ratio, b_ratio)), 1, 60);
  const auto multiplier = [shift](float ratio) { return std::llrint(std::ldexp(double{ratio}, shift)); };
  return (a * multiplier(a_ratio) + b * multiplier(b_ratio) + (std::int64_t{1} << (shift - 1))) >> shift;
}

}  // namespace tieout::fixed_point_variants
