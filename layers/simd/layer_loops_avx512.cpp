// The loops of layer_loops.h with AVX-512, 16 lanes at a time. They use intrinsics because g++ 12 widens bytes one by
// one if it vectorizes such loops itself. Intrinsics that g++ 12 warns of in their unmasked form (GCC bug 105593) are
// used in their masked form, with all lanes selected.

#include <immintrin.h>

#include <algorithm>

#include "layers/simd/layer_loops.h"

namespace tieout {
namespace {

constexpr __mmask8 kEight = 0xff;
constexpr __mmask16 kSixteen = 0xffff;

[[TIEOUT_AVX512]] __m512i eight_longs(const std::uint8_t* from) {
  return _mm512_maskz_cvtepu8_epi64(kEight, _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from)));
}

[[TIEOUT_AVX512]] __m512i sixteen_ints(const std::uint8_t* from) {
  return _mm512_maskz_cvtepu8_epi32(kSixteen, _mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
}

[[TIEOUT_AVX512]] std::uint64_t added_up(__m512i v) {
  alignas(64) std::uint64_t lanes[8];
  _mm512_store_si512(lanes, v);
  std::uint64_t sum = 0;
  for (const std::uint64_t lane : lanes) sum += lane;
  return sum;
}

[[TIEOUT_AVX512]] std::int32_t sum_of_lanes(__m512i v) {
  const __m256i eight =
      _mm256_add_epi32(_mm512_maskz_extracti64x4_epi64(kEight, v, 0), _mm512_maskz_extracti64x4_epi64(kEight, v, 1));
  const __m128i four = _mm_add_epi32(_mm256_castsi256_si128(eight), _mm256_extracti128_si256(eight, 1));
  const __m128i two = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4e));
  return _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32(two, 0xb1)));
}

[[TIEOUT_AVX512]] std::uint64_t combined_error(const CombinedRow& row, std::int64_t p) {
  __m512i sum = _mm512_setzero_si512(), other = sum;
  std::uint64_t total = 0;
  for (std::int64_t run = 0; run < row.run_count; ++run) {
    const std::uint8_t* const x = row.runs[run].x + p * row.step;
    const std::uint64_t* const combined = row.runs[run].combined;
    std::int64_t i = 0;
    for (; i + 16 <= row.run_length; i += 16) {
      sum = _mm512_add_epi64(sum, _mm512_mullo_epi64(eight_longs(x + i), _mm512_loadu_si512(combined + i)));
      other = _mm512_add_epi64(other, _mm512_mullo_epi64(eight_longs(x + i + 8), _mm512_loadu_si512(combined + i + 8)));
    }
    for (; i < row.run_length; ++i) total += x[i] * combined[i];
  }
  const std::int32_t* const sums = row.sums + p * row.sums_step;
  std::int64_t k = 0;
  for (; k + 16 <= row.outputs; k += 16) {  // the low halves of 64-bit lanes with their signs, then the high halves
    const __m512i r = _mm512_loadu_si512(row.random + k), raw = _mm512_loadu_si512(sums + k);
    sum = _mm512_sub_epi64(sum, _mm512_maskz_mul_epi32(kEight, r, raw));
    other = _mm512_sub_epi64(other, _mm512_maskz_mul_epi32(kEight, _mm512_maskz_srli_epi64(kEight, r, 32),
                                                           _mm512_maskz_srli_epi64(kEight, raw, 32)));
  }
  for (; k < row.outputs; ++k) total -= static_cast<std::uint64_t>(std::int64_t{row.random[k]} * sums[k]);
  return total + added_up(_mm512_add_epi64(sum, other)) - row.zero_point;
}

[[TIEOUT_AVX512]] std::int64_t first_unproven(const CombinedRow& row, std::int64_t begin) {
  std::int64_t p = begin;
  while (p < row.positions && combined_error(row, p) == 0) ++p;
  return p;
}

[[TIEOUT_AVX512]] void add_weights(std::uint64_t* to, const std::int8_t* w, std::int64_t count, std::int32_t zero_point,
                                   std::int64_t factor) {
  const __m512i zero = _mm512_set1_epi64(zero_point), times = _mm512_set1_epi64(factor);
  std::int64_t i = 0;
  for (; i + 8 <= count; i += 8) {  // factor and step fit in 32 bits
    const __m512i stored = _mm512_maskz_cvtepi8_epi64(kEight, _mm_loadl_epi64(reinterpret_cast<const __m128i*>(w + i)));
    const __m512i product = _mm512_maskz_mul_epi32(kEight, _mm512_sub_epi64(stored, zero), times);
    _mm512_storeu_si512(to + i, _mm512_add_epi64(_mm512_loadu_si512(to + i), product));
  }
  for (; i < count; ++i) to[i] += static_cast<std::uint64_t>(factor * (w[i] - zero_point));
}

[[TIEOUT_AVX512]] std::int64_t norms(const std::int8_t* w, std::int64_t count, std::int32_t zero_point,
                                     std::int32_t* squares) {
  // The absolute values of this number of weights add up to at most 2^28, spread over 16 lanes.
  constexpr std::int64_t kMostSummed = 1 << 20;
  const __m512i zero = _mm512_set1_epi16(static_cast<short>(zero_point)), one = _mm512_set1_epi16(1);
  std::int64_t all = 0;
  for (std::int64_t first = 0; first < count; first += kMostSummed) {
    __m512i sum = _mm512_setzero_si512();
    for (std::int64_t i = first; i < std::min(count, first + kMostSummed); i += kNormBlock) {
      const std::int64_t left = count - i;
      const __mmask32 live = left >= kNormBlock ? 0xffffffff : (__mmask32{1} << static_cast<unsigned>(left)) - 1;
      const __m512i wide = _mm512_maskz_cvtepi8_epi16(live, _mm256_maskz_loadu_epi8(live, w + i));
      const __m512i step = _mm512_maskz_sub_epi16(live, wide, zero);
      sum = _mm512_add_epi32(sum, _mm512_maskz_madd_epi16(kSixteen, _mm512_maskz_abs_epi16(0xffffffff, step), one));
      *squares++ = sum_of_lanes(_mm512_maskz_madd_epi16(kSixteen, step, step));
    }
    all += sum_of_lanes(sum);
  }
  return all;
}

[[TIEOUT_AVX512]] std::uint64_t squares(const std::uint8_t* a, std::int64_t count, std::int32_t zero_point) {
  // This number of squares below 2^16 fits in 32 bits.
  constexpr std::int64_t kBlock = std::int64_t{1} << 15;
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
    total += static_cast<std::uint32_t>(sum_of_lanes(sum));
  }
  for (; i < count; ++i) total += static_cast<std::uint64_t>((a[i] - zero_point) * (a[i] - zero_point));
  return total;
}

// Returns the first position from `begin` on with a wrong sum in channels channel .. channel + 15, or row.positions.
// The weights of kTaps taps stay in registers.
template <std::size_t kTaps>
[[TIEOUT_AVX512]] std::int64_t first_wrong_position(const DepthwiseSumRow& row, std::int64_t begin,
                                                    std::int64_t channel) {
  __m512i w[kTaps];
  for (std::size_t t = 0; t < kTaps; ++t) {
    w[t] = _mm512_loadu_si512(row.w + static_cast<std::int64_t>(t) * row.count + channel);
  }
  const __m512i shift = _mm512_loadu_si512(row.shift + channel);
  for (std::int64_t p = begin; p < row.positions; ++p) {
    __m512i sum = shift, other = _mm512_setzero_si512();
    for (std::size_t t = 0; t < kTaps; ++t) {
      const __m512i product = _mm512_mullo_epi32(sixteen_ints(row.taps[t] + p * row.step + channel), w[t]);
      (t % 2 == 0 ? sum : other) = _mm512_add_epi32(t % 2 == 0 ? sum : other, product);
    }
    const __m512i sums = _mm512_loadu_si512(row.sums + p * row.count + channel);
    if (_mm512_cmpneq_epi32_mask(_mm512_add_epi32(sum, other), sums) != 0) return p;
  }
  return row.positions;
}

[[TIEOUT_AVX512]] std::int64_t first_wrong_position(const DepthwiseSumRow& row, std::int64_t begin,
                                                    std::int64_t channel) {
  for (std::int64_t p = begin; p < row.positions; ++p) {
    __m512i sum = _mm512_loadu_si512(row.shift + channel);
    for (std::int64_t t = 0; t < row.tap_count; ++t) {
      const __m512i w = _mm512_loadu_si512(row.w + t * row.count + channel);
      sum = _mm512_add_epi32(sum, _mm512_mullo_epi32(sixteen_ints(row.taps[t] + p * row.step + channel), w));
    }
    if (_mm512_cmpneq_epi32_mask(sum, _mm512_loadu_si512(row.sums + p * row.count + channel)) != 0) return p;
  }
  return row.positions;
}

std::int64_t first_wrong(const DepthwiseSumRow& row, std::int64_t begin) {
  FirstWrongPosition of_channels = first_wrong_position;
  if (row.tap_count == 9) of_channels = first_wrong_position<9>;
  return first_wrong_by(of_channels, row, begin);
}

[[TIEOUT_AVX512]] std::int64_t next_above(const std::uint8_t* x, const std::uint8_t* limits, std::int64_t begin,
                                          std::int64_t count) {
  for (std::int64_t i = begin; i < count; i += 64) {
    const std::int64_t left = std::min<std::int64_t>(64, count - i);
    const __mmask64 live = ~std::uint64_t{0} >> static_cast<unsigned>(64 - left);
    const __mmask64 above = _mm512_mask_cmpgt_epu8_mask(live, _mm512_maskz_loadu_epi8(live, x + i),
                                                        _mm512_maskz_loadu_epi8(live, limits + i));
    if (above != 0) return i + __builtin_ctzll(above);
  }
  return count;
}

[[TIEOUT_AVX512]] void extremes(const std::uint8_t* x, std::int64_t count, std::uint8_t* lowest,
                                std::uint8_t* highest) {
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

}  // namespace

LayerLoops layer_loops_avx512() {
  return {.first_unproven = first_unproven,
          .add_weights = add_weights,
          .norms = norms,
          .squares = squares,
          .first_wrong = first_wrong,
          .next_above = next_above,
          .extremes = extremes};
}

}  // namespace tieout
