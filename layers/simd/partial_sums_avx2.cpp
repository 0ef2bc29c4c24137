#include <immintrin.h>

#include <algorithm>
#include <cstdlib>

#include "layers/simd/partial_sums.h"

namespace tieout {
namespace {

constexpr std::int64_t kVector = 32;  // bytes, which are as many products
static_assert(kPartialSumBlock == kVector);

// Multiplies activations of seven bits, as reduce_range produces them, without zero points: no pair of products leaves
// 16 bits.
struct SevenBits {
  __m256i seen;  // all activations, or-ed together

  // Returns the sums of four neighbouring products, for 32 products.
  [[TIEOUT_AVX2, gnu::always_inline]] __m256i by_four(const std::uint8_t* x, const std::int8_t* w) {
    const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x));
    seen = _mm256_or_si256(seen, bytes);
    const __m256i pairs = _mm256_maddubs_epi16(bytes, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(w)));
    return _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
  }

  // True if all activations had seven bits, so that the sums are right.
  [[nodiscard]] [[TIEOUT_AVX2]] bool hold() const { return _mm256_movemask_epi8(seen) == 0; }
};

struct AnyBits {
  __m256i xz, wz;

  [[TIEOUT_AVX2, gnu::always_inline]] __m256i by_two(const std::uint8_t* x, const std::int8_t* w) const {
    const __m256i a = _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(x)));
    const __m256i b = _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(w)));
    return _mm256_madd_epi16(_mm256_sub_epi16(a, xz), _mm256_sub_epi16(b, wz));
  }

  [[TIEOUT_AVX2, gnu::always_inline]] __m256i by_four(const std::uint8_t* x, const std::int8_t* w) const {
    const __m256i both = _mm256_hadd_epi32(by_two(x, w), by_two(x + kVector / 2, w + kVector / 2));
    return _mm256_permute4x64_epi64(both, 0xd8);  // hadd works in halves of 128 bits
  }
};

[[TIEOUT_AVX2]] AnyBits any_bits(std::int32_t activation_zero_point, std::int32_t weight_zero_point) {
  return {_mm256_set1_epi16(static_cast<short>(activation_zero_point)),
          _mm256_set1_epi16(static_cast<short>(weight_zero_point))};
}

// The partial sum at the end of each block, and the sum of their absolute values.
struct Ends {
  __m256i before, even, odd;

  // Adds eight blocks.
  [[TIEOUT_AVX2, gnu::always_inline]] void add(__m256i blocks) {
    __m256i ends = _mm256_add_epi32(blocks, _mm256_slli_si256(blocks, 4));
    ends = _mm256_add_epi32(ends, _mm256_slli_si256(ends, 8));
    // upper half: a copy of the lower half; lower half: zeros
    const __m256i lower = _mm256_permute2x128_si256(ends, ends, 0x08);
    ends = _mm256_add_epi32(_mm256_add_epi32(ends, _mm256_shuffle_epi32(lower, 0xff)), before);
    before = _mm256_permutevar8x32_epi32(ends, _mm256_set1_epi32(7));
    const __m256i absolute = _mm256_abs_epi32(ends);
    even = _mm256_add_epi64(even, _mm256_and_si256(absolute, _mm256_set1_epi64x(0xffffffff)));
    odd = _mm256_add_epi64(odd, _mm256_srli_epi64(absolute, 32));
  }

  [[nodiscard]] [[TIEOUT_AVX2]] std::int64_t added_up() const {
    alignas(32) std::int64_t lanes[4];
    _mm256_store_si256(reinterpret_cast<__m256i*>(lanes), _mm256_add_epi64(even, odd));
    return lanes[0] + lanes[1] + lanes[2] + lanes[3];
  }

  [[nodiscard]] [[TIEOUT_AVX2]] std::int32_t last() const { return _mm_cvtsi128_si32(_mm256_castsi256_si128(before)); }
};

[[TIEOUT_AVX2]] Ends no_ends() { return {_mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256()}; }

// Adds the products of eight blocks at a time, transposed into one register, then the remaining ones one by one.
template <typename Bits>
[[TIEOUT_AVX2]] std::int64_t in_order(const PartialSumProducts& p, Bits& bits) {
  constexpr std::int64_t kEightBlocks = 8 * kVector;
  Ends ends = no_ends();
  std::int64_t i = 0;
  for (; i + kEightBlocks <= p.count; i += kEightBlocks) {
    __m256i sums[4];
    for (std::int64_t pair = 0; pair < 4; ++pair) {
      const std::int64_t at = i + 2 * pair * kVector;
      sums[pair] =
          _mm256_hadd_epi32(bits.by_four(p.x + at, p.w + at), bits.by_four(p.x + at + kVector, p.w + at + kVector));
    }
    const __m256i first = _mm256_hadd_epi32(sums[0], sums[1]), second = _mm256_hadd_epi32(sums[2], sums[3]);
    // Each register holds four blocks, as the sums of their lower and of their upper halves.
    ends.add(_mm256_add_epi32(_mm256_permute2x128_si256(first, second, 0x20),
                              _mm256_permute2x128_si256(first, second, 0x31)));
  }
  std::int64_t total = ends.added_up();
  for (std::int32_t end = ends.last(); i < p.count;) {
    for (const std::int64_t stop = std::min(i + kPartialSumBlock, p.count); i < stop; ++i) {
      end += (p.x[i] - p.activation_zero_point) * (p.w[i] - p.weight_zero_point);
    }
    total += std::abs(end);
  }
  return total * kPartialSumBlock;
}

}  // namespace

[[TIEOUT_AVX2]] std::int64_t partial_sums_avx2(const PartialSumProducts& p) {
  if (p.activation_zero_point == 0 && p.weight_zero_point == 0) {
    SevenBits bits{_mm256_setzero_si256()};
    const std::int64_t found = in_order(p, bits);
    if (bits.hold()) return found;
  }
  AnyBits bits = any_bits(p.activation_zero_point, p.weight_zero_point);
  return in_order(p, bits);
}

}  // namespace tieout
