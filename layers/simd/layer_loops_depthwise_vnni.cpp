// Checks depthwise sums with AVX-512 VNNI: four taps of 64 channels at a time. Intrinsics that g++ 12 warns of in their
// unmasked form (GCC bug 105593) are used in their masked form, with all lanes selected.

#include <immintrin.h>

#include <algorithm>

#include "layers/simd/layer_loops.h"

namespace tieout {
namespace {

// For kernels of three columns and at most four rows: one 32-bit lane holds the bytes of a channel's column of taps. 64
// channels are four registers q of such lanes; lane 4 l + j of register q is channel 16 l + 4 q + j, the order in which
// unpacking leaves them.
constexpr std::int64_t kChannels = 64, kColumns = 3, kRows = 4;

struct Four {
  __m512i q[4];
};

[[TIEOUT_AVX512_VNNI]] Four column_of(const DepthwiseSumRow& row, std::int64_t p, std::int64_t column,
                                      std::int64_t channel, __mmask64 live) {
  constexpr __mmask64 kAllBytes = ~__mmask64{0};
  constexpr __mmask32 kAllShorts = 0xffffffff;
  __m512i x[kRows];
  for (std::int64_t r = 0; r < kRows; ++r) {
    const std::int64_t tap = r * kColumns + column;
    x[r] = tap < row.tap_count ? _mm512_maskz_loadu_epi8(live, row.taps[tap] + p * row.step + channel)
                               : _mm512_setzero_si512();
  }
  const __m512i low = _mm512_maskz_unpacklo_epi8(kAllBytes, x[0], x[1]);
  const __m512i high = _mm512_maskz_unpackhi_epi8(kAllBytes, x[0], x[1]);
  const __m512i low_rest = _mm512_maskz_unpacklo_epi8(kAllBytes, x[2], x[3]);
  const __m512i high_rest = _mm512_maskz_unpackhi_epi8(kAllBytes, x[2], x[3]);
  return {{_mm512_maskz_unpacklo_epi16(kAllShorts, low, low_rest),
           _mm512_maskz_unpackhi_epi16(kAllShorts, low, low_rest),
           _mm512_maskz_unpacklo_epi16(kAllShorts, high, high_rest),
           _mm512_maskz_unpackhi_epi16(kAllShorts, high, high_rest)}};
}

// Loads 64 numbers in the order of the channels, with 0 for those beyond `left`, into the order of lanes above.
[[TIEOUT_AVX512_VNNI]] Four numbers_of(const std::int32_t* from, std::int64_t left) {
  constexpr __mmask16 kSixteen = 0xffff;
  __m512i z[4];
  for (std::int64_t l = 0; l < 4; ++l) {
    const std::int64_t here = left - 16 * l;
    const auto live = static_cast<__mmask16>(here >= 16  ? 0xffffU
                                             : here <= 0 ? 0
                                                         : (1U << static_cast<unsigned>(here)) - 1);
    z[l] = _mm512_maskz_loadu_epi32(live, from + 16 * l);
  }
  const __m512i a = _mm512_maskz_shuffle_i32x4(kSixteen, z[0], z[1], 0x44);
  const __m512i b = _mm512_maskz_shuffle_i32x4(kSixteen, z[2], z[3], 0x44);
  const __m512i c = _mm512_maskz_shuffle_i32x4(kSixteen, z[0], z[1], 0xee);
  const __m512i d = _mm512_maskz_shuffle_i32x4(kSixteen, z[2], z[3], 0xee);
  return {{_mm512_maskz_shuffle_i32x4(kSixteen, a, b, 0x88), _mm512_maskz_shuffle_i32x4(kSixteen, a, b, 0xdd),
           _mm512_maskz_shuffle_i32x4(kSixteen, c, d, 0x88), _mm512_maskz_shuffle_i32x4(kSixteen, c, d, 0xdd)}};
}

// Returns the first position from `begin` on with a wrong sum in channels channel .. channel + 63, or row.positions.
[[TIEOUT_AVX512_VNNI]] std::int64_t first_wrong_position(const DepthwiseSumRow& row, std::int64_t begin,
                                                         std::int64_t channel) {
  const std::int64_t left = row.count - channel;
  const __mmask64 live = left >= kChannels ? ~__mmask64{0} : (__mmask64{1} << static_cast<unsigned>(left)) - 1;
  Four w[kColumns];
  for (std::int64_t c = 0; c < kColumns; ++c) {
    for (std::int64_t q = 0; q < 4; ++q) {
      w[c].q[q] = _mm512_load_si512(row.packed + (channel / kChannels * kColumns + c) * 4 * kChannels + q * kChannels);
    }
  }
  const Four shift = numbers_of(row.shift + channel, left);
  // True if the next position's first two columns are this position's last two.
  const bool neighbours = row.taps[1] - row.taps[0] == row.step;
  Four x[kColumns] = {column_of(row, begin, 0, channel, live), column_of(row, begin, 1, channel, live), {}};
  for (std::int64_t p = begin; p < row.positions; ++p) {
    if (p > begin) {
      x[0] = neighbours ? x[1] : column_of(row, p, 0, channel, live);
      x[1] = neighbours ? x[2] : column_of(row, p, 1, channel, live);
    }
    x[2] = column_of(row, p, 2, channel, live);
    const Four expected = numbers_of(row.sums + p * row.count + channel, left);
    __mmask16 wrong = 0;
    for (std::size_t q = 0; q < 4; ++q) {
      __m512i sum = shift.q[q];
      for (std::size_t c = 0; c < kColumns; ++c) sum = _mm512_dpbusd_epi32(sum, x[c].q[q], w[c].q[q]);
      wrong = static_cast<__mmask16>(wrong | _mm512_cmpneq_epi32_mask(sum, expected.q[q]));
    }
    if (wrong != 0) return p;
  }
  return row.positions;
}

}  // namespace

std::int64_t first_wrong_vnni(const DepthwiseSumRow& row, std::int64_t begin) {
  if (row.packed == nullptr) return layer_loops_avx512().first_wrong(row, begin);
  for (std::int64_t p = begin / row.count; p < row.positions; ++p) {
    std::int64_t first = row.positions;
    for (std::int64_t channel = 0; channel < row.count; channel += kChannels) {
      first = std::min(first, first_wrong_position(row, p, channel));
    }
    if (first == row.positions) break;
    for (std::int64_t place = std::max(begin, first * row.count); place < (first + 1) * row.count; ++place) {
      if (is_wrong(row, first, place % row.count)) return place;
    }
    p = first;
  }
  return row.positions * row.count;
}

AlignedVector<std::int8_t> pack_taps_vnni(const std::int32_t* w, std::int64_t taps, std::int64_t columns,
                                          std::int64_t channels) {
  const std::int64_t rows = taps / columns;
  const bool bytes = std::all_of(w, w + taps * channels, [](std::int32_t v) { return v >= -128 && v <= 127; });
  if (columns != kColumns || rows > kRows || !bytes) return {};
  const std::int64_t chunks = (channels + kChannels - 1) / kChannels;
  AlignedVector<std::int8_t> packed(static_cast<std::size_t>(chunks * kColumns * 4 * kChannels));
  for (std::int64_t k = 0; k < channels; ++k) {
    const std::int64_t l = k % kChannels / 16, q = k % 16 / 4, j = k % 4;
    for (std::int64_t tap = 0; tap < taps; ++tap) {
      const std::int64_t line = (k / kChannels * kColumns + tap % columns) * 4 + q;
      packed[static_cast<std::size_t>(line * kChannels + (4 * l + j) * 4 + tap / columns)] =
          static_cast<std::int8_t>(w[tap * channels + k]);
    }
  }
  return packed;
}

}  // namespace tieout
