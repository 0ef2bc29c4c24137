// Computes sixteen sums in float32 at a time with AVX-512. Intrinsics that g++ 12 warns of in their unmasked form (GCC
// bug 105593) are used in their masked form, with all lanes selected.

#include <immintrin.h>

#include <algorithm>

#include "cases/machine/cpu.h"
#include "layers/simd/float_sums.h"

namespace tieout {
namespace {

constexpr __mmask16 kAll = 0xffff;
constexpr __mmask8 kEight = 0xff;
constexpr std::int64_t kVector = 64;  // bytes of each element that are loaded at a time

// Transposes 16 rows of 16 numbers.
[[TIEOUT_AVX512]] void transpose(__m512i (&v)[16]) {
  __m512i t[16];
  for (std::size_t i = 0; i < 16; i += 2) {
    t[i] = _mm512_maskz_unpacklo_epi32(kAll, v[i], v[i + 1]);
    t[i + 1] = _mm512_maskz_unpackhi_epi32(kAll, v[i], v[i + 1]);
  }
  for (std::size_t i = 0; i < 16; i += 4) {
    for (std::size_t j = 0; j < 2; ++j) {
      v[i + 2 * j] = _mm512_maskz_unpacklo_epi64(kEight, t[i + j], t[i + j + 2]);
      v[i + 2 * j + 1] = _mm512_maskz_unpackhi_epi64(kEight, t[i + j], t[i + j + 2]);
    }
  }
  // v[4 i + j] holds numbers j, 4 + j, 8 + j and 12 + j of rows 4 i .. 4 i + 3, 128 bits each.
  for (std::size_t j = 0; j < 4; ++j) {
    const __m512i low = _mm512_maskz_shuffle_i32x4(kAll, v[j], v[4 + j], 0x88);
    const __m512i high = _mm512_maskz_shuffle_i32x4(kAll, v[8 + j], v[12 + j], 0x88);
    const __m512i low_odd = _mm512_maskz_shuffle_i32x4(kAll, v[j], v[4 + j], 0xdd);
    const __m512i high_odd = _mm512_maskz_shuffle_i32x4(kAll, v[8 + j], v[12 + j], 0xdd);
    t[j] = _mm512_maskz_shuffle_i32x4(kAll, low, high, 0x88);
    t[8 + j] = _mm512_maskz_shuffle_i32x4(kAll, low, high, 0xdd);
    t[4 + j] = _mm512_maskz_shuffle_i32x4(kAll, low_odd, high_odd, 0x88);
    t[12 + j] = _mm512_maskz_shuffle_i32x4(kAll, low_odd, high_odd, 0xdd);
  }
  for (std::size_t i = 0; i < 16; ++i) v[i] = t[i];
}

// The constants of all products, with one lane for each of sixteen elements.
struct Constants {
  __m512i xz, wz;
  __m512 xs, ws;
};

// Returns the product of byte kByte of each number. kByte is a template parameter because a shift by a constant is one
// instruction.
template <unsigned kByte>
[[TIEOUT_AVX512, gnu::always_inline]] inline __m512 product(__m512i x, __m512i w, const Constants& by) {
  const __m512i low = _mm512_and_si512(_mm512_maskz_srli_epi32(kAll, x, 8 * kByte), _mm512_set1_epi32(0xff));
  const __m512i high = _mm512_maskz_srai_epi32(kAll, _mm512_maskz_slli_epi32(kAll, w, 24 - 8 * kByte), 24);
  const __m512 real_x = _mm512_mul_ps(_mm512_maskz_cvtepi32_ps(kAll, _mm512_sub_epi32(low, by.xz)), by.xs);
  const __m512 real_w = _mm512_mul_ps(_mm512_maskz_cvtepi32_ps(kAll, _mm512_sub_epi32(high, by.wz)), by.ws);
  return _mm512_mul_ps(real_x, real_w);
}

}  // namespace

[[TIEOUT_AVX512]] void sums_of_sixteen_avx512(const SixteenElements& elements, float* sums) {
  const Constants by{_mm512_set1_epi32(elements.activation_zero_point),
                     _mm512_loadu_si512(elements.weight_zero_point.data()), _mm512_set1_ps(elements.activation_scale),
                     _mm512_loadu_ps(elements.weight_scale.data())};
  __m512 sum = _mm512_setzero_ps();
  for (std::int64_t first = 0; first < elements.count; first += kVector) {
    const std::int64_t here = std::min(kVector, elements.count - first);
    const __mmask64 live = ~std::uint64_t{0} >> static_cast<unsigned>(kVector - here);
    __m512i x[16], w[16];
    for (std::size_t lane = 0; lane < 16; ++lane) {
      x[lane] = _mm512_maskz_loadu_epi8(live, elements.x[lane] + first);
      w[lane] = _mm512_maskz_loadu_epi8(live, elements.w[lane] + first);
    }
    transpose(x);
    transpose(w);
    std::int64_t i = 0;
    for (; i + 4 <= here; i += 4) {
      sum = _mm512_add_ps(sum, product<0>(x[i / 4], w[i / 4], by));
      sum = _mm512_add_ps(sum, product<1>(x[i / 4], w[i / 4], by));
      sum = _mm512_add_ps(sum, product<2>(x[i / 4], w[i / 4], by));
      sum = _mm512_add_ps(sum, product<3>(x[i / 4], w[i / 4], by));
    }
    if (i < here) sum = _mm512_add_ps(sum, product<0>(x[i / 4], w[i / 4], by));
    if (i + 1 < here) sum = _mm512_add_ps(sum, product<1>(x[i / 4], w[i / 4], by));
    if (i + 2 < here) sum = _mm512_add_ps(sum, product<2>(x[i / 4], w[i / 4], by));
  }
  _mm512_storeu_ps(sums, sum);
}

}  // namespace tieout
