#include "layers/simd/partial_sums.h"

#include <cstdlib>

namespace tieout {
namespace {

// This form allows g++ to vectorize the loop.
[[gnu::always_inline]] inline std::int64_t sums(const PartialSumProducts& products) {
  const std::uint8_t* const __restrict x = products.x;
  const std::int8_t* const __restrict w = products.w;
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

std::int64_t sums_portable(const PartialSumProducts& products) { return sums(products); }

[[TIEOUT_AVX512]] std::int64_t sums_avx512(const PartialSumProducts& products) { return sums(products); }

}  // namespace

PartialSums partial_sums(SimdIsa isa) {
  switch (isa) {
    case SimdIsa::portable: return sums_portable;
    case SimdIsa::avx2: return partial_sums_avx2;
    case SimdIsa::avx512: return sums_avx512;
    case SimdIsa::avx512_vnni: return partial_sums_vnni;
  }
  return sums_portable;
}

PartialSumsByTaps partial_sums_by_taps(SimdIsa isa) {
  switch (isa) {
    case SimdIsa::avx2:
    case SimdIsa::avx512: return partial_sums_avx2;
    case SimdIsa::avx512_vnni: return partial_sums_vnni;
    case SimdIsa::portable: break;
  }
  return nullptr;
}

}  // namespace tieout
