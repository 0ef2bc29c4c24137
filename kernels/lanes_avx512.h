#pragma once
// What the loops of AVX-512 share, with and without VNNI. Only for files that are compiled for AVX-512.

#include <immintrin.h>

#include "kernels/loops_template.h"

namespace tieout::avx512 {

// A register of 64 activations: four bytes in each of 16 lanes.
using Register = __m512i;

// With a mask of all lanes, here and below: g++ 12 warns of the forms without (GCC bug 105593).
constexpr __mmask16 kAllLanes = 0xffff;

// The float path of requantization, up to the whole number before the zero point. The rounding mode is named in the
// conversion; what does not fit int32, and NaN, becomes INT32_MIN.
inline Register rounded(Register raw, const ChannelNumbers& numbers, std::int64_t at) {
  const __m512 f = _mm512_maskz_cvtepi32_ps(kAllLanes, raw);
  const __m512 with_bias =
      _mm512_fmadd_ps(_mm512_loadu_ps(numbers.bias + at), _mm512_loadu_ps(numbers.reciprocal + at), f);
  return _mm512_maskz_cvt_roundps_epi32(kAllLanes, with_bias * _mm512_loadu_ps(numbers.multiplier + at),
                                        _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

// Sums, loads and requantization: what does not depend on how products are made.
struct CommonLanes {
  static constexpr int kBlocks = 4;
  // Products take four cycles and begin one a cycle, so that eight sums at a time would do. More positions load fewer
  // weights: 24 sums, four of weights and what is broadcast are 29 of 32 registers.
  static constexpr std::int64_t positions(std::size_t blocks) { return blocks == 4 ? 6 : 8; }

  using Sums = Register;
  static Sums load(const std::int32_t* from) { return _mm512_loadu_si512(from); }
  static void store(std::int32_t* to, Sums sums) { _mm512_storeu_si512(to, sums); }
  static Sums splat(std::int32_t value) { return _mm512_set1_epi32(value); }
  static Sums subtract_product(Sums sums, Sums a, Sums b) { return _mm512_sub_epi32(sums, _mm512_mullo_epi32(a, b)); }
  static Sums at_most(Sums sums, std::int32_t most) {
    return _mm512_mask_min_epi32(sums, kAllLanes, sums, _mm512_set1_epi32(most));
  }

  // Saturating to int16, adding the zero point there, and saturating to uint8 is what the specification does; a relu is the
  // larger of that and the zero point.
  template <std::size_t kPanel>
  static void finish(const Sums (&raw)[kPanel], const ChannelNumbers& numbers, std::int64_t first,
                     const OutputRange& range, std::uint8_t* y, std::int64_t count) {
    Register q[kPanel];
#pragma GCC unroll 4
    for (int r = 0; r < int{kPanel}; ++r) q[r] = rounded(raw[r], numbers, first + r * kBlock);
    const Register zero_point = _mm512_set1_epi16(static_cast<std::int16_t>(range.zero_point));
    const auto shorts = [&](Register low, Register high) {
      return _mm512_adds_epi16(_mm512_packs_epi32(low, high), zero_point);
    };
    if constexpr (kPanel == 4) {
      const Register bytes =
          _mm512_maskz_max_epu8(~__mmask64{0}, _mm512_packus_epi16(shorts(q[0], q[1]), shorts(q[2], q[3])),
                                _mm512_set1_epi8(static_cast<char>(range.lowest)));
      if (count >= 64) {
        _mm512_storeu_si512(y, bytes);
      } else {
        _mm512_mask_storeu_epi8(y, (__mmask64{1} << static_cast<unsigned>(count)) - 1, bytes);
      }
    } else {
      // One or two registers: the bytes of each 128 bits lie in their low halves, with a gap to the next.
      const Register both = _mm512_maskz_max_epi16(~__mmask32{0}, shorts(q[0], q[kPanel - 1]),
                                                   _mm512_set1_epi16(static_cast<std::int16_t>(range.lowest)));
      if constexpr (kPanel == 2) {
        const auto mask = static_cast<__mmask32>((std::uint64_t{1} << static_cast<unsigned>(count)) - 1);
        _mm512_mask_cvtusepi16_storeu_epi8(y, mask, both);
      } else {
        const Register lanes = _mm512_unpacklo_epi16(both, _mm512_setzero_si512());
        const auto mask = static_cast<__mmask16>((1U << static_cast<unsigned>(count)) - 1);
        _mm512_mask_cvtusepi32_storeu_epi8(y, mask, lanes);
      }
    }
  }

  // Bytes of four rows next to one another, within 128 bits: channels 16 l + 4 r + i in lane 4 l + i of register r.
  static void interleave_bytes(const std::uint8_t* a, const std::uint8_t* b, const std::uint8_t* c,
                               const std::uint8_t* d, Register (&x)[4]) {
    const Register ra = _mm512_loadu_si512(a), rb = _mm512_loadu_si512(b);
    const Register rc = _mm512_loadu_si512(c), rd = _mm512_loadu_si512(d);
    const Register ab_low = _mm512_unpacklo_epi8(ra, rb), ab_high = _mm512_unpackhi_epi8(ra, rb);
    const Register cd_low = _mm512_unpacklo_epi8(rc, rd), cd_high = _mm512_unpackhi_epi8(rc, rd);
    x[0] = _mm512_unpacklo_epi16(ab_low, cd_low);
    x[1] = _mm512_unpackhi_epi16(ab_low, cd_low);
    x[2] = _mm512_unpacklo_epi16(ab_high, cd_high);
    x[3] = _mm512_unpackhi_epi16(ab_high, cd_high);
  }
  static Register broadcast_bytes(const std::uint8_t* from) {
    std::int32_t four;
    __builtin_memcpy(&four, from, sizeof four);
    return _mm512_set1_epi32(four);
  }
};

}  // namespace tieout::avx512
