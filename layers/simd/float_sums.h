#pragma once
// Sums of dequantized numbers in float32 of sixteen output elements side by side, each in its own exact order.

#include <array>
#include <cstdint>

namespace tieout {

// Sixteen elements whose float32 sums are computed with one element per lane. Valid for per-tensor weights, whose scale
// the definition rounds to float32, and for per-channel weights if every scale is a float32 number: q * ws, rounded
// once, is then the same in float32 as in float64.
struct SixteenElements {
  std::array<const std::uint8_t*, 16> x;  // `count` bytes each, in the order of summation
  std::array<const std::int8_t*, 16> w;
  std::int64_t count = 0;
  float activation_scale = 1;
  std::int32_t activation_zero_point = 0;
  std::array<float, 16> weight_scale;
  std::array<std::int32_t, 16> weight_zero_point;
};
void sums_of_sixteen_avx2(const SixteenElements& elements, float* sums);  // requires AVX2

}  // namespace tieout
