// The same loops, 16 lanes at a time: g++ 12 widens bytes one by one where it is left to itself. Everywhere with a mask of all
// lanes: it warns of the forms without (GCC bug 105593).

#include <immintrin.h>

#include <algorithm>

#include "oracle/proof_lanes.h"

namespace tieout {
namespace {

constexpr __mmask8 kEight = 0xff;
constexpr __mmask16 kSixteen = 0xffff;

#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl")

__m512i eight_longs(const std::uint8_t* from) {
  return _mm512_maskz_cvtepu8_epi64(kEight, _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from)));
}

__m512i eight_longs(const std::int32_t* from) {
  return _mm512_maskz_cvtepi32_epi64(kEight, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
}

__m512i sixteen_ints(const std::uint8_t* from) {
  return _mm512_maskz_cvtepu8_epi32(kSixteen, _mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
}

std::uint64_t added_up(__m512i v) {
  alignas(64) std::uint64_t lanes[8];
  _mm512_store_si512(lanes, v);
  std::uint64_t sum = 0;
  for (const std::uint64_t lane : lanes) sum += lane;
  return sum;
}

std::uint64_t dot_sums(const std::int32_t* a, const std::int32_t* b, std::int64_t count) {
  __m512i sum = _mm512_setzero_si512();
  std::int64_t i = 0;
  for (; i + 8 <= count; i += 8) {  // the low halves of 64-bit lanes, with their sign
    sum = _mm512_add_epi64(sum, _mm512_maskz_mul_epi32(kEight, eight_longs(a + i), eight_longs(b + i)));
  }
  std::uint64_t total = added_up(sum);
  for (; i < count; ++i) total += static_cast<std::uint64_t>(std::int64_t{a[i]} * b[i]);
  return total;
}

std::uint64_t dot_bytes(const std::uint8_t* a, const std::uint64_t* b, std::int64_t count) {
  __m512i sum = _mm512_setzero_si512(), other = sum;
  std::int64_t i = 0;
  for (; i + 16 <= count; i += 16) {
    sum = _mm512_add_epi64(sum, _mm512_mullo_epi64(eight_longs(a + i), _mm512_loadu_si512(b + i)));
    other = _mm512_add_epi64(other, _mm512_mullo_epi64(eight_longs(a + i + 8), _mm512_loadu_si512(b + i + 8)));
  }
  std::uint64_t total = added_up(_mm512_add_epi64(sum, other));
  for (; i < count; ++i) total += a[i] * b[i];
  return total;
}

void add_weights(std::uint64_t* to, const std::int8_t* w, std::int64_t count, std::int32_t zero_point,
                 std::int64_t factor) {
  const __m512i zero = _mm512_set1_epi64(zero_point), times = _mm512_set1_epi64(factor);
  std::int64_t i = 0;
  for (; i + 8 <= count; i += 8) {  // factor and step fit 32 bits
    const __m512i stored = _mm512_maskz_cvtepi8_epi64(kEight, _mm_loadl_epi64(reinterpret_cast<const __m128i*>(w + i)));
    const __m512i product = _mm512_maskz_mul_epi32(kEight, _mm512_sub_epi64(stored, zero), times);
    _mm512_storeu_si512(to + i, _mm512_add_epi64(_mm512_loadu_si512(to + i), product));
  }
  for (; i < count; ++i) to[i] += static_cast<std::uint64_t>(factor * (w[i] - zero_point));
}

std::uint64_t squares(const std::uint8_t* a, std::int64_t count, std::int32_t zero_point) {
  constexpr std::int64_t kBlock = std::int64_t{1} << 14;  // 2^14 / 32 sums of two squares below 2^16 fit a lane
  const __m512i zero = _mm512_set1_epi16(static_cast<short>(zero_point));
  std::uint64_t total = 0;
  std::int64_t i = 0;
  while (i + 32 <= count) {
    __m512i sum = _mm512_setzero_si512();
    for (const std::int64_t end = std::min(count - 31, i + kBlock); i < end; i += 32) {
      const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(a + i));
      const __m512i step = _mm512_sub_epi16(_mm512_maskz_cvtepu8_epi16(0xffffffff, bytes), zero);
      sum = _mm512_add_epi32(sum, _mm512_maskz_madd_epi16(kSixteen, step, step));
    }
    alignas(64) std::uint32_t lanes[16];
    _mm512_store_si512(lanes, sum);
    for (const std::uint32_t lane : lanes) total += lane;
  }
  for (; i < count; ++i) total += static_cast<std::uint64_t>((a[i] - zero_point) * (a[i] - zero_point));
  return total;
}

std::int64_t first_wrong(const std::uint8_t* const* taps, std::int64_t tap_count, const std::int32_t* w,
                         const std::int32_t* shift, const std::int32_t* sums, std::int64_t begin, std::int64_t count) {
  std::int64_t i = begin;
  for (; i + 32 <= count; i += 32) {
    __m512i low = _mm512_loadu_si512(shift + i), high = _mm512_loadu_si512(shift + i + 16);
    for (std::int64_t t = 0; t < tap_count; ++t) {
      const std::int32_t* const weights = w + t * count + i;
      low = _mm512_add_epi32(low, _mm512_mullo_epi32(sixteen_ints(taps[t] + i), _mm512_loadu_si512(weights)));
      high =
          _mm512_add_epi32(high, _mm512_mullo_epi32(sixteen_ints(taps[t] + i + 16), _mm512_loadu_si512(weights + 16)));
    }
    const unsigned wrong = static_cast<unsigned>(_mm512_cmpneq_epi32_mask(low, _mm512_loadu_si512(sums + i))) |
                           static_cast<unsigned>(_mm512_cmpneq_epi32_mask(high, _mm512_loadu_si512(sums + i + 16)))
                               << 16;
    if (wrong != 0) return i + __builtin_ctz(wrong);
  }
  for (; i < count; ++i) {
    auto sum = static_cast<std::uint32_t>(shift[i]) - static_cast<std::uint32_t>(sums[i]);
    for (std::int64_t t = 0; t < tap_count; ++t) {
      sum += std::uint32_t{taps[t][i]} * static_cast<std::uint32_t>(w[t * count + i]);
    }
    if (sum != 0) return i;
  }
  return count;
}

std::int64_t next_above(const std::uint8_t* x, const std::uint8_t* limits, std::int64_t begin, std::int64_t count) {
  for (std::int64_t i = begin; i < count; i += 64) {
    const std::int64_t left = std::min<std::int64_t>(64, count - i);
    const __mmask64 live = ~std::uint64_t{0} >> static_cast<unsigned>(64 - left);
    const __mmask64 above =
        _mm512_mask_cmpgt_epu8_mask(live, _mm512_maskz_loadu_epi8(live, x + i), _mm512_maskz_loadu_epi8(live, limits + i));
    if (above != 0) return i + __builtin_ctzll(above);
  }
  return count;
}

void extremes(const std::uint8_t* x, std::int64_t count, std::uint8_t* lowest, std::uint8_t* highest) {
  __m512i low = _mm512_set1_epi8(static_cast<char>(x[0])), high = low;
  std::int64_t i = 0;
  for (; i + 64 <= count; i += 64) {
    const __m512i bytes = _mm512_loadu_si512(x + i);
    low = _mm512_maskz_min_epu8(~__mmask64{0}, low, bytes);
    high = _mm512_maskz_max_epu8(~__mmask64{0}, high, bytes);
  }
  alignas(64) std::uint8_t lows[64];
  alignas(64) std::uint8_t highs[64];
  _mm512_store_si512(lows, low);
  _mm512_store_si512(highs, high);
  *lowest = *std::min_element(lows, lows + 64);
  *highest = *std::max_element(highs, highs + 64);
  for (; i < count; ++i) {
    *lowest = std::min(*lowest, x[i]);
    *highest = std::max(*highest, x[i]);
  }
}

#pragma GCC pop_options

}  // namespace

ProofLanes proof_lanes_avx512() { return {dot_sums, dot_bytes, add_weights, squares, first_wrong, next_above, extremes}; }

}  // namespace tieout
