#include "kernels/lanes.h"

#include <immintrin.h>

#include <algorithm>
#include <cmath>

namespace tieout {
namespace {

// With a mask of all lanes: g++ 12 warns of the form without (GCC bug 105593).
__attribute__((target("avx512f"), always_inline)) inline __m512i saturated(__m512i v) {
  v = _mm512_mask_min_epi32(v, 0xffff, v, _mm512_set1_epi32(32767));
  return _mm512_mask_max_epi32(v, 0xffff, v, _mm512_set1_epi32(-32768));
}

template <Pairs kPairs>
__attribute__((target("avx512f,avx512bw"))) void multiply_avx512(const std::int32_t* x, const std::int32_t* w,
                                                                 std::int64_t pairs, LaneSums& sums) {
  __m512i acc[kChannels][2];
  for (auto& row : acc) row[0] = row[1] = _mm512_setzero_si512();
  for (std::int64_t i = 0; i < pairs; ++i) {
    const __m512i x0 = _mm512_loadu_si512(x + i * kPositions);
    const __m512i x1 = _mm512_loadu_si512(x + i * kPositions + 16);
    for (std::int64_t k = 0; k < kChannels; ++k) {
      const __m512i wk = _mm512_set1_epi32(w[i * kChannels + k]);
      __m512i p0 = _mm512_madd_epi16(x0, wk);
      __m512i p1 = _mm512_madd_epi16(x1, wk);
      if constexpr (kPairs == Pairs::saturate) {
        p0 = saturated(p0);
        p1 = saturated(p1);
      }
      acc[k][0] = _mm512_add_epi32(acc[k][0], p0);
      acc[k][1] = _mm512_add_epi32(acc[k][1], p1);
    }
  }
  for (std::size_t k = 0; k < kChannels; ++k) {
    _mm512_storeu_si512(sums[k].data(), acc[k][0]);
    _mm512_storeu_si512(sums[k].data() + 16, acc[k][1]);
  }
}

// The same in plain words, for CPUs without AVX-512.
template <Pairs kPairs>
void multiply_portable(const std::int32_t* x, const std::int32_t* w, std::int64_t pairs, LaneSums& sums) {
  const auto low = [](std::int32_t v) { return std::int32_t{static_cast<std::int16_t>(v)}; };
  for (auto& row : sums) row.fill(0);
  for (std::int64_t i = 0; i < pairs; ++i) {
    for (std::size_t k = 0; k < kChannels; ++k) {
      const std::int32_t both = w[i * kChannels + static_cast<std::int64_t>(k)];
      const std::int32_t w0 = low(both), w1 = both >> 16;
      for (std::size_t p = 0; p < kPositions; ++p) {
        const std::int32_t xs = x[i * kPositions + static_cast<std::int64_t>(p)];
        std::int32_t pair = low(xs) * w0 + (xs >> 16) * w1;
        if constexpr (kPairs == Pairs::saturate) pair = std::min(std::max(pair, -32768), 32767);
        sums[k][p] =
            static_cast<std::int32_t>(static_cast<std::uint32_t>(sums[k][p]) + static_cast<std::uint32_t>(pair));
      }
    }
  }
}

void requantize_portable(const std::int32_t* raw, const Channel& channel, std::int32_t oz, std::int32_t lowest,
                         std::uint8_t* y) {
  for (std::int64_t p = 0; p < kPositions; ++p) {
    auto f = static_cast<float>(raw[p]);
    if (channel.how == Channel::Bias::added) f = f + channel.bias;
    if (channel.how == Channel::Bias::fused) f = __builtin_fmaf(channel.bias, channel.reciprocal, f);
    const float s = f * channel.multiplier;
    const bool fits = s >= -0x1p31F && s < 0x1p31F;
    // Rounding and clamping to whole numbers may change places.
    const float inside = fits ? std::min(std::max(s, -32768.0F), 32767.0F) : -32768.0F;
    const float below = std::floor(inside);
    const float fraction = inside - below;
    const auto whole = static_cast<std::int32_t>(below);
    const std::int32_t up = (fraction > 0.5F ? 1 : 0) | ((fraction == 0.5F ? 1 : 0) & whole);
    const std::int32_t q = whole + (up & 1) + oz;
    y[p] = static_cast<std::uint8_t>(std::min(std::max(q, lowest), 255));
  }
}

// The rounding mode is named in the conversion; what does not fit int32 becomes INT32_MIN, as everywhere on this CPU.
__attribute__((target("avx512f,avx512bw"))) void requantize_avx512(const std::int32_t* raw, const Channel& channel,
                                                                   std::int32_t oz, std::int32_t lowest,
                                                                   std::uint8_t* y) {
  const __m512 bias = _mm512_set1_ps(channel.bias);
  const __m512 reciprocal = _mm512_set1_ps(channel.reciprocal);
  const __m512 multiplier = _mm512_set1_ps(channel.multiplier);
  constexpr __mmask16 kAll = 0xffff;
  for (std::int64_t p = 0; p < kPositions; p += 16) {
    __m512 f = _mm512_maskz_cvtepi32_ps(kAll, _mm512_loadu_si512(raw + p));
    if (channel.how == Channel::Bias::added) f = f + bias;
    if (channel.how == Channel::Bias::fused) f = _mm512_fmadd_ps(bias, reciprocal, f);
    const __m512 s = f * multiplier;
    __m512i q = _mm512_maskz_cvt_roundps_epi32(kAll, s, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    q = _mm512_maskz_max_epi32(kAll, q, _mm512_set1_epi32(-32768));
    q = _mm512_maskz_min_epi32(kAll, q, _mm512_set1_epi32(32767));
    q = _mm512_maskz_add_epi32(kAll, q, _mm512_set1_epi32(oz));
    q = _mm512_maskz_max_epi32(kAll, q, _mm512_set1_epi32(lowest));
    q = _mm512_maskz_min_epi32(kAll, q, _mm512_set1_epi32(255));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(y + p), _mm512_maskz_cvtepi32_epi8(kAll, q));
  }
}

bool has_avx512() { return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0; }

}  // namespace

Multiply best_multiply(Pairs pairs) {
  if (has_avx512()) return pairs == Pairs::exact ? multiply_avx512<Pairs::exact> : multiply_avx512<Pairs::saturate>;
  return pairs == Pairs::exact ? multiply_portable<Pairs::exact> : multiply_portable<Pairs::saturate>;
}

Requantize best_requantize() { return has_avx512() ? requantize_avx512 : requantize_portable; }

}  // namespace tieout
