#pragma once
// Rounding and clamping of the operators' specification. oracle/ has its own.

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "cases/operators/operator_case.h"

namespace tieout::operator_kernels {

[[nodiscard]] inline float real(std::uint8_t q, const Quantization& of) {
  return static_cast<float>(of.scale) * static_cast<float>(static_cast<int>(q) - static_cast<int>(of.zero_point));
}

// Returns the byte of a value in units of the output's scale. Values beyond all bytes, and infinite ones, are clamped.
// NaN, which only numbers near the end of float32's range give, becomes 0.
[[nodiscard]] inline std::int32_t byte_of_scaled(double scaled, std::int64_t zero_point) {
  if (std::isnan(scaled)) return 0;
  const double rounded = std::nearbyint(scaled) + static_cast<double>(zero_point);
  return static_cast<std::int32_t>(std::clamp(rounded, 0.0, 255.0));
}

[[nodiscard]] inline std::int32_t byte_of(float real, const Quantization& of) {
  const float inverse = 1.0F / static_cast<float>(of.scale);
  return byte_of_scaled(real * inverse, of.zero_point);
}

}  // namespace tieout::operator_kernels
