// The check by random numbers for AVX-512. With the loop for AVX2, which has no 64-bit products, `tieout model` takes 3
// % longer (docs/measurements/model.md). Intrinsics that g++ 12 warns of in their unmasked form (GCC bug 105593) are
// used in their masked form, with all lanes selected.

#include <immintrin.h>

#include "layers/simd/layer_loops.h"

namespace tieout {
namespace {

constexpr __mmask8 kAllLanes = 0xff;  // of eight

[[TIEOUT_AVX512]] __m512i eight_longs(const std::uint8_t* from) {
  return _mm512_maskz_cvtepu8_epi64(kAllLanes, _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from)));
}

[[TIEOUT_AVX512]] std::uint64_t added_up(__m512i v) {
  alignas(64) std::uint64_t lanes[8];
  _mm512_store_si512(lanes, v);
  std::uint64_t sum = 0;
  for (const std::uint64_t lane : lanes) sum += lane;
  return sum;
}

[[TIEOUT_AVX512]] std::uint64_t combined_error_avx512(const CombinedRow& row, std::int64_t p) {
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
    sum = _mm512_sub_epi64(sum, _mm512_maskz_mul_epi32(kAllLanes, r, raw));
    other = _mm512_sub_epi64(other, _mm512_maskz_mul_epi32(kAllLanes, _mm512_maskz_srli_epi64(kAllLanes, r, 32),
                                                           _mm512_maskz_srli_epi64(kAllLanes, raw, 32)));
  }
  for (; k < row.outputs; ++k) total -= static_cast<std::uint64_t>(std::int64_t{row.random[k]} * sums[k]);
  return total + added_up(_mm512_add_epi64(sum, other)) - row.zero_point;
}

[[TIEOUT_AVX512]] std::int64_t first_unproven_avx512(const CombinedRow& row, std::int64_t begin) {
  std::int64_t p = begin;
  while (p < row.positions && combined_error_avx512(row, p) == 0) ++p;
  return p;
}

}  // namespace

LayerLoops layer_loops_avx512() {
  LayerLoops loops = layer_loops_avx2();
  loops.first_unproven = first_unproven_avx512;
  loops.arrange = LayerLoops().arrange;
  return loops;
}

}  // namespace tieout
