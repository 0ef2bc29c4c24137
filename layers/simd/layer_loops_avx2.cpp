// The loops of layer_loops.h for CPUs with AVX2. They use intrinsics because g++ 12 widens bytes one by one if it
// vectorizes such loops itself.

#include <immintrin.h>

#include <algorithm>
#include <cstring>

#include "layers/simd/layer_loops.h"

namespace tieout {
namespace {

constexpr std::int64_t kEight = 8;
constexpr std::int64_t kDepthwiseChannels = 16;  // channels that are checked together

[[TIEOUT_AVX2]] __m256i loaded(const void* from) { return _mm256_loadu_si256(static_cast<const __m256i*>(from)); }

[[TIEOUT_AVX2]] std::uint64_t sum_of_longs(__m256i v) {
  const __m128i two = _mm_add_epi64(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  return static_cast<std::uint64_t>(_mm_cvtsi128_si64(two)) + static_cast<std::uint64_t>(_mm_extract_epi64(two, 1));
}

[[TIEOUT_AVX2]] std::int32_t sum_of_ints(__m256i v) {
  const __m128i four = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  const __m128i two = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4e));
  return _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32(two, 0xb1)));
}

// ---- The check by random numbers: multiplies eight bytes of a window by the four digits of their R at a time.

// Combines the 32-bit sums of two digits, the lower digit in the lower half of the register, to 64-bit numbers by
// lanes, modulo 2^64.
[[TIEOUT_AVX2]] __m256i by_digit(__m256i sums, int digit) {
  const __m256i low = _mm256_cvtepi32_epi64(_mm256_castsi256_si128(sums));
  const __m256i high = _mm256_cvtepi32_epi64(_mm256_extracti128_si256(sums, 1));
  return _mm256_add_epi64(_mm256_slli_epi64(low, 16 * digit), _mm256_slli_epi64(high, 16 * digit + 16));
}

struct Digits {
  __m256i low, high;
};

[[TIEOUT_AVX2, gnu::always_inline]] inline void add(Digits& digits, std::int64_t bytes, const std::uint64_t* combined) {
  const __m256i x = _mm256_cvtepu8_epi16(_mm_set1_epi64x(bytes));
  digits.low = _mm256_add_epi32(digits.low, _mm256_madd_epi16(x, loaded(combined)));
  digits.high = _mm256_add_epi32(digits.high, _mm256_madd_epi16(x, loaded(combined + 4)));
}

[[TIEOUT_AVX2]] std::uint64_t combined_error_avx2(const CombinedRow& row, std::int64_t p) {
  // Bytes for each sum: a lane adds a pair of products, each at most 255 * 2^15, for every eight bytes, and 128 pairs
  // fit in 32 bits.
  constexpr std::int64_t kFits = 128 * kEight;
  __m256i error = _mm256_setzero_si256();
  for (std::int64_t run = 0; run < row.run_count; ++run) {
    const std::uint8_t* const x = row.runs[run].x + p * row.step;
    const std::uint64_t* const combined = row.runs[run].combined;
    for (std::int64_t begin = 0; begin < row.run_length; begin += kFits) {
      const std::int64_t end = std::min(begin + kFits, row.run_length);
      Digits digits{_mm256_setzero_si256(), _mm256_setzero_si256()};
      std::int64_t i = begin;
      for (std::int64_t bytes = 0; i + kEight <= end; i += kEight) {
        std::memcpy(&bytes, x + i, sizeof bytes);
        add(digits, bytes, combined + i);
      }
      if (i < end) {
        std::int64_t bytes = 0;
        std::memcpy(&bytes, x + i, static_cast<std::size_t>(end - i));
        add(digits, bytes, combined + i);
      }
      error = _mm256_add_epi64(error, _mm256_add_epi64(by_digit(digits.low, 0), by_digit(digits.high, 2)));
    }
  }
  const std::int32_t* const sums = row.sums + p * row.sums_step;
  std::int64_t k = 0;
  // Multiplies the low halves of 64-bit lanes with their signs, then the high halves.
  for (; k + kEight <= row.outputs; k += kEight) {
    const __m256i r = loaded(row.random + k), raw = loaded(sums + k);
    error = _mm256_sub_epi64(error, _mm256_mul_epi32(r, raw));
    error = _mm256_sub_epi64(error, _mm256_mul_epi32(_mm256_srli_epi64(r, 32), _mm256_srli_epi64(raw, 32)));
  }
  std::uint64_t total = sum_of_longs(error) - row.zero_point;
  for (; k < row.outputs; ++k) total -= static_cast<std::uint64_t>(std::int64_t{row.random[k]} * sums[k]);
  return total;
}

[[TIEOUT_AVX2]] std::int64_t first_unproven_avx2(const CombinedRow& row, std::int64_t begin) {
  std::int64_t p = begin;
  while (p < row.positions && combined_error_avx2(row, p) == 0) ++p;
  return p;
}

// Turns each eight R into eight words for each digit. Digits are in -2^15 .. 2^15 - 1, the lowest first, with R = sum
// of digit[d] * 2^(16 d) modulo 2^64. Adding 2^15 at every digit position makes them unsigned words; flipping their
// highest bits subtracts it again.
void arrange(std::uint64_t* combined, std::int64_t count) {
  constexpr std::uint64_t kMiddles = 0x8000800080008000;
  for (std::int64_t i = 0; i < count; i += kEight) {
    std::uint16_t digits[4][kEight];
    for (std::size_t place = 0; place < kEight; ++place) {
      const std::uint64_t plain = (combined[i + static_cast<std::int64_t>(place)] + kMiddles) ^ kMiddles;
      for (unsigned d = 0; d < 4; ++d) digits[d][place] = static_cast<std::uint16_t>(plain >> (16 * d));
    }
    std::memcpy(combined + i, digits, sizeof digits);
  }
}

[[TIEOUT_AVX2]] void add_weights_avx2(std::uint64_t* to, const std::int8_t* w, std::int64_t count,
                                      std::int32_t zero_point, std::int64_t factor) {
  const __m256i zero = _mm256_set1_epi64x(zero_point), times = _mm256_set1_epi64x(factor);
  std::int64_t i = 0;
  for (; i + 4 <= count; i += 4) {  // factor and step fit in 32 bits
    std::int32_t stored = 0;
    std::memcpy(&stored, w + i, sizeof stored);
    const __m256i step = _mm256_sub_epi64(_mm256_cvtepi8_epi64(_mm_cvtsi32_si128(stored)), zero);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + i),
                        _mm256_add_epi64(loaded(to + i), _mm256_mul_epi32(step, times)));
  }
  for (; i < count; ++i) to[i] += static_cast<std::uint64_t>(factor * (w[i] - zero_point));
}

// ---- Norms.

[[TIEOUT_AVX2]] std::int64_t norms_avx2(const std::int8_t* w, std::int64_t count, std::int32_t zero_point,
                                        std::int32_t* squares) {
  // The absolute values of this number of weights add up to at most 2^28, spread over 8 lanes.
  constexpr std::int64_t kMostSummed = 1 << 20;
  const __m256i zero = _mm256_set1_epi16(static_cast<short>(zero_point)), one = _mm256_set1_epi16(1);
  std::int64_t all = 0;
  std::int64_t i = 0;
  while (i + kNormBlock <= count) {
    __m256i sum = _mm256_setzero_si256();
    for (const std::int64_t end = std::min(count - kNormBlock + 1, i + kMostSummed); i < end; i += kNormBlock) {
      const __m256i bytes = loaded(w + i);
      const __m256i low = _mm256_sub_epi16(_mm256_cvtepi8_epi16(_mm256_castsi256_si128(bytes)), zero);
      const __m256i high = _mm256_sub_epi16(_mm256_cvtepi8_epi16(_mm256_extracti128_si256(bytes, 1)), zero);
      const __m256i both = _mm256_add_epi16(_mm256_abs_epi16(low), _mm256_abs_epi16(high));
      sum = _mm256_add_epi32(sum, _mm256_madd_epi16(both, one));
      *squares++ = sum_of_ints(_mm256_add_epi32(_mm256_madd_epi16(low, low), _mm256_madd_epi16(high, high)));
    }
    all += sum_of_ints(sum);
  }
  if (i == count) return all;
  std::int32_t sum = 0, square = 0;
  for (; i < count; ++i) {
    const std::int32_t step = w[i] - zero_point;
    sum += step < 0 ? -step : step;
    square += step * step;
  }
  *squares = square;
  return all + sum;
}

[[TIEOUT_AVX2]] std::uint64_t squares_avx2(const std::uint8_t* a, std::int64_t count, std::int32_t zero_point) {
  // This number of squares below 2^16 fits in 32 bits.
  constexpr std::int64_t kBlock = std::int64_t{1} << 15;
  const __m256i zero = _mm256_set1_epi16(static_cast<short>(zero_point));
  std::uint64_t total = 0;
  std::int64_t i = 0;
  while (i + 16 <= count) {
    __m256i sum = _mm256_setzero_si256();
    for (const std::int64_t end = std::min(count - 15, i + kBlock); i < end; i += 16) {
      const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(a + i));
      const __m256i step = _mm256_sub_epi16(_mm256_cvtepu8_epi16(bytes), zero);
      sum = _mm256_add_epi32(sum, _mm256_madd_epi16(step, step));
    }
    total += static_cast<std::uint32_t>(sum_of_ints(sum));
  }
  for (; i < count; ++i) total += static_cast<std::uint64_t>((a[i] - zero_point) * (a[i] - zero_point));
  return total;
}

// ---- Depthwise layers.

// Multiplies two taps' bytes of 16 channels by their weights, which alternate in `packed`, and adds eight channels'
// products to each of two registers.
[[TIEOUT_AVX2, gnu::always_inline]] inline void add_two(const std::uint8_t* first, const std::uint8_t* second,
                                                        const std::int8_t* packed, __m256i (&sums)[2]) {
  const __m128i a = _mm_loadu_si128(reinterpret_cast<const __m128i*>(first));
  const __m128i b = _mm_loadu_si128(reinterpret_cast<const __m128i*>(second));
  const __m256i low = _mm256_cvtepu8_epi16(_mm_unpacklo_epi8(a, b));
  const __m256i high = _mm256_cvtepu8_epi16(_mm_unpackhi_epi8(a, b));
  sums[0] = _mm256_add_epi32(sums[0], _mm256_madd_epi16(low, loaded(packed)));
  sums[1] = _mm256_add_epi32(sums[1], _mm256_madd_epi16(high, loaded(packed + 32)));
}

// Returns the first position from `begin` on with a wrong sum in channels channel .. channel + 15, or row.positions.
// kTaps: the number of taps, or 0 for any number.
template <std::int64_t kTaps>
[[TIEOUT_AVX2]] std::int64_t first_wrong_position(const DepthwiseSumRow& row, std::int64_t begin,
                                                  std::int64_t channel) {
  const std::int64_t taps = kTaps == 0 ? row.tap_count : kTaps, pairs = (taps + 1) / 2;
  const std::int8_t* const packed = row.packed + channel / kDepthwiseChannels * pairs * 64;
  for (std::int64_t p = begin; p < row.positions; ++p) {
    const std::int64_t from = p * row.step + channel;
    __m256i sums[2] = {loaded(row.shift + channel), loaded(row.shift + channel + 8)};
    for (std::int64_t pair = 0; pair < pairs; ++pair) {
      const std::uint8_t* const first = row.taps[2 * pair] + from;
      const std::uint8_t* const second = 2 * pair + 1 < taps ? row.taps[2 * pair + 1] + from : first;
      add_two(first, second, packed + pair * 64, sums);
    }
    const std::int32_t* const said = row.sums + p * row.count + channel;
    const __m256i off =
        _mm256_or_si256(_mm256_xor_si256(sums[0], loaded(said)), _mm256_xor_si256(sums[1], loaded(said + 8)));
    if (_mm256_testz_si256(off, off) == 0) return p;
  }
  return row.positions;
}

// Packs the weights of each 16 channels by pairs of taps: the weights of both taps alternate, as 16-bit numbers. The
// second one is 0 after the last tap of an odd number.
AlignedVector<std::int8_t> pack_taps(const std::int32_t* w, std::int64_t taps, std::int64_t channels) {
  const std::int64_t blocks = channels / kDepthwiseChannels, pairs = (taps + 1) / 2;
  AlignedVector<std::int8_t> packed(static_cast<std::size_t>(blocks * pairs * 64));
  std::int8_t* to = packed.data();
  for (std::int64_t block = 0; block < blocks; ++block) {
    for (std::int64_t tap = 0; tap < taps; tap += 2) {
      for (std::int64_t i = block * kDepthwiseChannels; i < (block + 1) * kDepthwiseChannels; ++i) {
        const std::int32_t second = tap + 1 < taps ? w[(tap + 1) * channels + i] : 0;
        const std::int16_t both[2] = {static_cast<std::int16_t>(w[tap * channels + i]),
                                      static_cast<std::int16_t>(second)};
        std::memcpy(to, both, sizeof both);
        to += sizeof both;
      }
    }
  }
  return packed;
}

// Channels behind the last 16 are checked one by one.
std::int64_t first_wrong_avx2(const DepthwiseSumRow& row, std::int64_t begin) {
  std::int64_t first = row.positions;
  std::int64_t channel = 0;
  for (; channel + kDepthwiseChannels <= row.count; channel += kDepthwiseChannels) {
    const std::int64_t from = begin / row.count;
    first = std::min(first, row.tap_count == 9 ? first_wrong_position<9>(row, from, channel)
                                               : first_wrong_position<0>(row, from, channel));
  }
  for (std::int64_t p = begin / row.count; p < row.positions; ++p) {
    for (std::int64_t i = p < first ? channel : 0; i < row.count; ++i) {
      if (p * row.count + i >= begin && is_wrong(row, p, i)) return p * row.count + i;
    }
  }
  return row.positions * row.count;
}

// ---- Searches in activations.

[[TIEOUT_AVX2]] std::int64_t next_above_avx2(const std::uint8_t* x, const std::uint8_t* limits, std::int64_t begin,
                                             std::int64_t count) {
  std::int64_t i = begin;
  for (; i + 32 <= count; i += 32) {
    const __m256i above = _mm256_subs_epu8(loaded(x + i), loaded(limits + i));
    if (_mm256_testz_si256(above, above) != 0) continue;
    const auto none = static_cast<unsigned>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(above, _mm256_setzero_si256())));
    return i + __builtin_ctz(~none);
  }
  while (i < count && x[i] <= limits[i]) ++i;
  return i;
}

[[TIEOUT_AVX2]] void extremes_avx2(const std::uint8_t* x, std::int64_t count, std::uint8_t* lowest,
                                   std::uint8_t* highest) {
  __m256i low = _mm256_set1_epi8(static_cast<char>(x[0])), high = low;
  std::int64_t i = 0;
  for (; i + 32 <= count; i += 32) {
    low = _mm256_min_epu8(low, loaded(x + i));
    high = _mm256_max_epu8(high, loaded(x + i));
  }
  alignas(32) std::uint8_t lows[32];
  alignas(32) std::uint8_t highs[32];
  _mm256_store_si256(reinterpret_cast<__m256i*>(lows), low);
  _mm256_store_si256(reinterpret_cast<__m256i*>(highs), high);
  *lowest = *std::min_element(lows, lows + 32);
  *highest = *std::max_element(highs, highs + 32);
  for (; i < count; ++i) {
    *lowest = std::min(*lowest, x[i]);
    *highest = std::max(*highest, x[i]);
  }
}

}  // namespace

LayerLoops layer_loops_avx2() {
  return {.first_unproven = first_unproven_avx2,
          .arrange = arrange,
          .add_weights = add_weights_avx2,
          .norms = norms_avx2,
          .squares = squares_avx2,
          .first_wrong = first_wrong_avx2,
          .pack_taps = pack_taps,
          .next_above = next_above_avx2,
          .extremes = extremes_avx2};
}

}  // namespace tieout
