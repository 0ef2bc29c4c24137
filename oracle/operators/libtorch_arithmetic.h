#pragma once
// The steps of LibTorch's quantized operators, as its vector code and its scalar code compute them.
// Sources: ATen/cpu/vec/vec{256,512}/vec*_qint.h (vectors), ATen/native/quantized/AffineQuantizer.cpp and
// fbgemm/QuantUtils.h (scalars).

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "cases/operators/operator_case.h"
#include "oracle/element/ties_to_even.h"
#include "oracle/operators/element_record.h"

namespace tieout::libtorch_arithmetic {

[[nodiscard]] inline float scale_of(const Quantization& of) { return static_cast<float>(of.scale); }
[[nodiscard]] inline float zero_point_of(const Quantization& of) { return static_cast<float>(of.zero_point); }

// Scalar code: the difference is exact, and the product is rounded once.
[[nodiscard]] inline float scalar_dequantize(std::uint8_t q, const Quantization& of) {
  const float real = scale_of(of) * (static_cast<float>(q) - zero_point_of(of));
  record_step("dequantized", real, "fl(scale * (q - zero_point))");
  return real;
}

// Vector code: the product of scale and zero point is rounded first, then the fused sum.
[[nodiscard]] inline float vector_dequantize(std::uint8_t q, const Quantization& of) {
  const float real = std::fma(scale_of(of), static_cast<float>(q), scale_of(of) * -zero_point_of(of));
  record_step("dequantized", real, "fma(scale, q, fl(-scale * zero_point))");
  return real;
}

// Returns the byte of a value that is scaled to the output's units and rounded; 0 for NaN.
[[nodiscard]] inline std::int32_t clamp_to_byte(float rounded, const Quantization& of) {
  const double shifted = static_cast<double>(rounded) + static_cast<double>(of.zero_point);
  record_step("rounded", rounded, "to nearest, ties to even");
  record_step("with zero point", shifted, "rounded + zero point, then clamped to 0..255");
  return shifted > 0 ? static_cast<std::int32_t>(std::min(shifted, 255.0)) : 0;
}

// Vector code limits values to 2^31 - 128, a float32 number, before it rounds them, by an instruction that returns the
// limit for NaN. The sum of the limit and a zero point of 128 or more exceeds int32 and becomes negative.
[[nodiscard]] inline std::int32_t vector_round(float units, const Quantization& of) {
  constexpr float kLimit = 0x1p31F - 128;
  if (units < kLimit) return clamp_to_byte(ties_to_even(units), of);
  return of.zero_point < 128 ? 255 : 0;
}

// Scalar code converts to 64 bits, where what does not fit becomes INT64_MIN.
[[nodiscard]] inline std::int32_t scalar_round(float units, const Quantization& of) {
  return units < 0x1p63F ? clamp_to_byte(ties_to_even(units), of) : 0;
}

// Returns a value in the output's units, not rounded.
[[nodiscard]] inline float scale_to_output(float real, float inverse) {
  record_step("result", real, "in real numbers");
  record_step("inverse scale", inverse, "of the output");
  record_step("scaled", real * inverse, "fl(result * inverse scale)");
  return real * inverse;
}

// Scalar code multiplies by the float32 inverse of the float32 scale.
[[nodiscard]] inline std::int32_t scalar_quantize(float real, const Quantization& of) {
  return clamp_to_byte(ties_to_even(scale_to_output(real, 1.0F / scale_of(of))), of);
}

// Vector code gets the inverse from its operator: some divide in float32, some in float64.
[[nodiscard]] inline std::int32_t vector_quantize(float real, float inverse, const Quantization& of) {
  return vector_round(scale_to_output(real, inverse), of);
}
[[nodiscard]] inline float inverse_in_float(const Quantization& of) { return 1.0F / scale_of(of); }
[[nodiscard]] inline float inverse_in_double(const Quantization& of) { return static_cast<float>(1.0 / of.scale); }

// Returns an integer in the output's units, not rounded.
[[nodiscard]] inline float scale_integer(std::int32_t value, float multiplier) {
  const float scaled = static_cast<float>(value) * multiplier;
  record_step("integer", value, "exact");
  record_step("multiplier", multiplier, "from integers to output units");
  record_step("scaled", scaled, "fl(integer * multiplier)");
  return scaled;
}

// Scalar code converts the product to 64 bits; vector code to 32 bits, where what does not fit becomes INT32_MIN.
[[nodiscard]] inline std::int32_t scalar_requantize(std::int32_t value, float multiplier, const Quantization& of) {
  return scalar_round(scale_integer(value, multiplier), of);
}
[[nodiscard]] inline std::int32_t vector_requantize(std::int32_t value, float multiplier, const Quantization& of) {
  const float rounded = ties_to_even(scale_integer(value, multiplier));
  const bool fits = rounded >= -0x1p31F && rounded < 0x1p31F;
  return clamp_to_byte(fits ? rounded : -0x1p31F, of);
}

}  // namespace tieout::libtorch_arithmetic
