#include "layers/simd/partial_sums.h"

#include <cstdlib>

namespace tieout {
namespace {

std::int64_t sums_portable(const PartialSumProducts& products) {
  const std::uint8_t* const x = products.x;
  const std::int8_t* const w = products.w;
  const auto xz = static_cast<std::int16_t>(products.activation_zero_point);
  const auto wz = static_cast<std::int16_t>(products.weight_zero_point);
  std::int32_t end = 0;
  std::int64_t total = 0;
  const auto add = [&](std::int32_t block) {
    end += block;
    total += std::abs(end);
  };
  std::int64_t i = 0;
  for (; i + kPartialSumBlock <= products.count; i += kPartialSumBlock) {
    std::int32_t block = 0;
    for (std::int64_t j = i; j < i + kPartialSumBlock; ++j) {
      block += static_cast<std::int16_t>(x[j] - xz) * static_cast<std::int16_t>(w[j] - wz);
    }
    add(block);
  }
  if (i < products.count) {
    std::int32_t block = 0;
    for (; i < products.count; ++i) block += (x[i] - xz) * (w[i] - wz);
    add(block);
  }
  return total * kPartialSumBlock;
}

}  // namespace

PartialSums partial_sums(SimdIsa isa) { return isa == SimdIsa::portable ? sums_portable : partial_sums_avx2; }

}  // namespace tieout
