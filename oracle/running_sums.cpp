#include "oracle/running_sums.h"

#include <immintrin.h>

#include <cstdlib>

namespace tieout {
namespace {

// From product i on, before which there is `end`. Written so that g++ makes vectors of it.
[[gnu::always_inline]] inline std::int64_t sums(const RunningProducts& products, std::int64_t i = 0,
                                                std::int32_t end = 0) {
  const std::uint8_t* const __restrict x = products.x;
  const std::int8_t* const __restrict w = products.w;
  const auto xz = static_cast<std::int16_t>(products.activation_zero_point);
  const auto wz = static_cast<std::int16_t>(products.weight_zero_point);
  std::int64_t total = 0;
  const auto add = [&](std::int32_t block) {
    end += block;
    total += std::abs(end);
  };
  for (; i + kRunningBlock <= products.count; i += kRunningBlock) {
    std::int32_t block = 0;
    for (std::int64_t j = i; j < i + kRunningBlock; ++j) {
      block += static_cast<std::int16_t>(x[j] - xz) * static_cast<std::int16_t>(w[j] - wz);
    }
    add(block);
  }
  if (i < products.count) {
    std::int32_t block = 0;
    for (; i < products.count; ++i) block += (x[i] - xz) * (w[i] - wz);
    add(block);
  }
  return total * kRunningBlock;
}

std::int64_t sums_portable(const RunningProducts& products) { return sums(products); }

// A block's products, in eight sums.
[[gnu::target("avx2")]] __m256i block_avx2(const std::uint8_t* x, const std::int8_t* w, __m256i xz, __m256i wz) {
  const auto* const from_x = reinterpret_cast<const __m128i*>(x);
  const auto* const from_w = reinterpret_cast<const __m128i*>(w);
  __m256i sums = _mm256_setzero_si256();
  for (int half = 0; half < 2; ++half) {
    const __m256i a = _mm256_sub_epi16(_mm256_cvtepu8_epi16(_mm_loadu_si128(from_x + half)), xz);
    const __m256i b = _mm256_sub_epi16(_mm256_cvtepi8_epi16(_mm_loadu_si128(from_w + half)), wz);
    sums = _mm256_add_epi32(sums, _mm256_madd_epi16(a, b));
  }
  return sums;
}

// Four blocks at a time: their sums are added up across each other.
[[gnu::target("avx2")]] std::int64_t sums_avx2(const RunningProducts& products) {
  const __m256i xz = _mm256_set1_epi16(static_cast<short>(products.activation_zero_point));
  const __m256i wz = _mm256_set1_epi16(static_cast<short>(products.weight_zero_point));
  constexpr std::int64_t kFour = 4 * kRunningBlock;
  std::int32_t end = 0;
  std::int64_t total = 0, i = 0;
  for (; i + kFour <= products.count; i += kFour) {
    const std::uint8_t* const x = products.x + i;
    const std::int8_t* const w = products.w + i;
    const __m256i first =
        _mm256_hadd_epi32(block_avx2(x, w, xz, wz), block_avx2(x + kRunningBlock, w + kRunningBlock, xz, wz));
    const __m256i second = _mm256_hadd_epi32(block_avx2(x + 2 * kRunningBlock, w + 2 * kRunningBlock, xz, wz),
                                             block_avx2(x + 3 * kRunningBlock, w + 3 * kRunningBlock, xz, wz));
    const __m256i halves = _mm256_hadd_epi32(first, second);
    alignas(16) std::int32_t blocks[4];
    _mm_store_si128(reinterpret_cast<__m128i*>(blocks),
                    _mm_add_epi32(_mm256_castsi256_si128(halves), _mm256_extracti128_si256(halves, 1)));
    for (const std::int32_t block : blocks) {
      end += block;
      total += std::abs(end);
    }
  }
  return total * kRunningBlock + sums(products, i, end);
}

[[gnu::target("avx512f,avx512bw,avx512dq,avx512vl")]] std::int64_t sums_avx512(const RunningProducts& products) {
  return sums(products);
}

}  // namespace

RunningSums running_sums(VectorIsa isa) {
  switch (isa) {
    case VectorIsa::portable: return sums_portable;
    case VectorIsa::avx2: return sums_avx2;
    case VectorIsa::avx512: return sums_avx512;
    case VectorIsa::avx512_vnni: return running_sums_vnni;
  }
  return sums_portable;
}

}  // namespace tieout
