// Partial sums with AVX-512 VNNI, sixteen blocks at a time. Intrinsics that g++ 12 warns of in their unmasked form (GCC
// bug 105593) are used in their masked form, with all lanes selected.

#include <immintrin.h>

#include "layers/simd/partial_sums.h"

namespace tieout {
namespace {

constexpr __mmask16 kAll = 0xffff;
constexpr __mmask8 kEight = 0xff;
constexpr std::int64_t kVector = 64;  // products in a register, which are two blocks
constexpr std::int64_t kAtOnce = 8 * kVector;

// These three functions reduce eight registers, which hold two blocks of eight lanes each, to one register: lane n is
// the sum of block n.
[[TIEOUT_AVX512_VNNI]] __m512i halves(__m512i a, __m512i b) {
  return _mm512_add_epi32(_mm512_maskz_shuffle_i32x4(kAll, a, b, 0x88), _mm512_maskz_shuffle_i32x4(kAll, a, b, 0xdd));
}

[[TIEOUT_AVX512_VNNI]] __m512i quarters(__m512i a, __m512i b) {
  return _mm512_add_epi32(_mm512_maskz_unpacklo_epi32(kAll, a, b), _mm512_maskz_unpackhi_epi32(kAll, a, b));
}

[[TIEOUT_AVX512_VNNI]] __m512i by_block(const __m512i (&d)[8]) {
  const __m512i low = quarters(halves(d[0], d[1]), halves(d[2], d[3]));
  const __m512i high = quarters(halves(d[4], d[5]), halves(d[6], d[7]));
  const __m512i sums =
      _mm512_add_epi32(_mm512_maskz_unpacklo_epi64(kEight, low, high), _mm512_maskz_unpackhi_epi64(kEight, low, high));
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  return _mm512_maskz_permutexvar_epi32(kAll, order, sums);
}

// Returns v with its lanes moved up by kBy and the last lanes of `below` in the free places.
template <int kBy>
[[TIEOUT_AVX512_VNNI]] __m512i moved_up(__m512i v, __m512i below) {
  return _mm512_maskz_alignr_epi32(kAll, v, below, 16 - kBy);
}

[[TIEOUT_AVX512_VNNI]] __m512i four_products(__m512i x, __m512i w, __m512i zero_point) {
  const __m512i none = _mm512_setzero_si512();
  return _mm512_sub_epi32(_mm512_dpbusd_epi32(none, x, w), _mm512_dpbusd_epi32(none, zero_point, w));
}

// The partial sums at the ends of blocks, sixteen at a time, and the sum of their absolute values.
struct Ends {
  __m512i before, even, odd;  // before: only the last lane counts

  [[TIEOUT_AVX512_VNNI]] Ends() : before(_mm512_setzero_si512()), even(before), odd(before) {}

  // Adds sixteen blocks. sums: of the blocks, of which the first `blocks` exist.
  [[TIEOUT_AVX512_VNNI]] void add(__m512i sums, std::int64_t blocks) {
    const __m512i none = _mm512_setzero_si512();
    __m512i ends = _mm512_add_epi32(sums, moved_up<1>(sums, none));
    ends = _mm512_add_epi32(ends, moved_up<2>(ends, none));
    ends = _mm512_add_epi32(ends, moved_up<4>(ends, none));
    ends = _mm512_add_epi32(ends, moved_up<8>(ends, none));
    ends = _mm512_add_epi32(ends, _mm512_maskz_permutexvar_epi32(kAll, _mm512_set1_epi32(15), before));
    const auto live = static_cast<__mmask16>(0xffffU >> static_cast<unsigned>(16 - blocks));
    const __m512i absolute = _mm512_maskz_abs_epi32(live, ends);
    even = _mm512_add_epi64(even, _mm512_and_si512(absolute, _mm512_set1_epi64(0xffffffff)));
    odd = _mm512_add_epi64(odd, _mm512_maskz_srli_epi64(kEight, absolute, 32));
    before = ends;
  }

  [[nodiscard]] [[TIEOUT_AVX512_VNNI]] std::int64_t added_up() const {
    alignas(64) std::int64_t lanes[8];
    _mm512_store_si512(lanes, _mm512_add_epi64(even, odd));
    std::int64_t total = 0;
    for (const std::int64_t lane : lanes) total += lane;
    return total;
  }
};

// Processes several windows that share their weights, so that each weight is loaded once.
template <std::size_t kWindows>
[[TIEOUT_AVX512_VNNI]] void by_taps(const PartialSumTaps& p, const std::uint8_t* const* const* x, std::int64_t* sums) {
  const __m512i zero_point = _mm512_set1_epi8(static_cast<char>(p.activation_zero_point));
  Ends ends[kWindows];
  for (std::int64_t c = 0; c < p.channels; c += kTapChannels) {
    __m512i of_zero_point = _mm512_setzero_si512(), sum[kWindows];
    for (std::size_t n = 0; n < kWindows; ++n) sum[n] = of_zero_point;
    for (std::int64_t t = 0; t < p.taps; ++t) {
      const __m512i w = _mm512_loadu_si512(p.w + t * p.channels + c);
      for (std::size_t n = 0; n < kWindows; ++n) {
        sum[n] = _mm512_dpbusd_epi32(sum[n], _mm512_loadu_si512(x[n][t] + c), w);
      }
      if (p.activation_zero_point != 0) of_zero_point = _mm512_dpbusd_epi32(of_zero_point, zero_point, w);
    }
    for (std::size_t n = 0; n < kWindows; ++n) ends[n].add(_mm512_sub_epi32(sum[n], of_zero_point), 16);
  }
  for (std::size_t n = 0; n < kWindows; ++n) sums[n] = ends[n].added_up() * p.block();
}

}  // namespace

[[TIEOUT_AVX512_VNNI]] std::int64_t partial_sums_vnni(const PartialSumProducts& p) {
  if (p.weight_zero_point != 0) return partial_sums(SimdIsa::avx512)(p);  // rare: weights are usually symmetric
  const __m512i zero_point = _mm512_set1_epi8(static_cast<char>(p.activation_zero_point));
  Ends ends;
  for (std::int64_t i = 0; i < p.count; i += kAtOnce) {
    __m512i d[8];
    const std::int64_t left = p.count - i;
    if (left >= kAtOnce) {
      for (std::int64_t v = 0; v < 8; ++v) {
        const std::int64_t at = i + v * kVector;
        d[v] = four_products(_mm512_loadu_si512(p.x + at), _mm512_loadu_si512(p.w + at), zero_point);
      }
    } else {
      for (std::int64_t v = 0; v < 8; ++v) {
        const std::int64_t at = v * kVector, here = left < at ? 0 : left - at;
        const __mmask64 live = here == 0        ? 0
                               : here < kVector ? ~std::uint64_t{0} >> static_cast<unsigned>(kVector - here)
                                                : ~std::uint64_t{0};
        d[v] = four_products(_mm512_maskz_loadu_epi8(live, p.x + i + at), _mm512_maskz_loadu_epi8(live, p.w + i + at),
                             zero_point);
      }
    }
    ends.add(by_block(d), left >= kAtOnce ? 16 : (left + kPartialSumBlock - 1) / kPartialSumBlock);
  }
  return ends.added_up() * kPartialSumBlock;
}

void partial_sums_vnni(const PartialSumTaps& p, std::span<const std::uint8_t* const* const> x, std::int64_t* sums) {
  std::size_t i = 0;
  for (; i + 4 <= x.size(); i += 4) by_taps<4>(p, x.data() + i, sums + i);
  for (; i < x.size(); ++i) by_taps<1>(p, x.data() + i, sums + i);
}

}  // namespace tieout
