#include "oracle/judge_lanes.h"

#include <immintrin.h>

#include <algorithm>
#include <cmath>

namespace tieout {
namespace {

constexpr std::size_t kLanes = SumLanes::kLanes;

// To the nearest integer, ties to the even one, for |v| < 2^22; the machine's rounding mode is not asked.
float nearest_even(float v) {
  const float below = std::floor(v);
  const float fraction = v - below;
  const auto whole = static_cast<std::int32_t>(below);
  const std::int32_t up = (fraction > 0.5F ? 1 : 0) | ((fraction == 0.5F ? 1 : 0) & whole);
  return static_cast<float>(whole + (up & 1));
}

void judge_portable(const SumLanes& lanes, const JudgedChannel& channel, const Output& o, float widest,
                    const std::uint8_t* answer, Judged& judged) {
  // Through plain pointers: then g++ sees that nothing overlaps.
  const std::int32_t* __restrict exact = lanes.exact.data();
  const float* __restrict rounded = lanes.rounded.data();
  float* __restrict margin = judged.margin.data();
  std::int32_t* __restrict exact_says = judged.exact.data();
  std::int32_t* __restrict float_sum_says = judged.float_sum.data();
  const float unit_bias = channel.bias, multiplier = channel.multiplier;
  const float lowest = o.lowest, highest = o.highest, zero_point = o.zero_point, scale = o.scale;
  for (std::size_t p = 0; p < kLanes; ++p) {
    const float s = (static_cast<float>(exact[p]) + unit_bias) * multiplier;
    const float above = s < lowest ? lowest : s;
    const float inside = above > highest ? highest : above;
    const float n = nearest_even(inside);
    margin[p] = 0.5F - std::fabs(inside - n) - JudgedChannel::kSlope * std::fabs(s);
    exact_says[p] = static_cast<std::int32_t>(n + zero_point);
  }
  // manual_output_2, operation by operation: dequantized.cpp. Beyond the output's range it makes no difference where to stop,
  // and -0 is as good as no bias.
  const float low = -zero_point, high = 255.0F - zero_point;
  const float bias = o.biased ? channel.literal_bias : -0.0F;
  const float floor_of_relu = o.relu ? 0.0F : low;
  for (std::size_t p = 0; p < kLanes; ++p) {
    const float scaled = (rounded[p] + bias) / scale;
    const float above = scaled < low ? low : scaled;
    const float n = nearest_even(above > high ? high : above);
    float_sum_says[p] = static_cast<std::int32_t>((n < floor_of_relu ? floor_of_relu : n) + zero_point);
  }
  std::array<std::int32_t, kLanes> expected{};
  const auto count = static_cast<std::size_t>(lanes.count);
  for (std::size_t p = 0; p < count; ++p) expected[p] = answer[p];
  for (std::size_t p = count; p < kLanes; ++p) {  // lanes that do not count agree
    expected[p] = judged.exact[p] = judged.float_sum[p] = 0;
    judged.margin[p] = widest;
  }
  std::int32_t others = 0;
  for (std::size_t p = 0; p < kLanes; ++p) {
    others |=
        (judged.exact[p] ^ expected[p]) | (judged.float_sum[p] ^ expected[p]) | (judged.margin[p] < widest ? 1 : 0);
  }
  judged.plain = others == 0;
}

// The same, 16 lanes at a time. The rounding mode is named in the instruction. Everywhere with a mask of all lanes: g++ 12
// warns of the forms without (GCC bug 105593).
[[gnu::target("avx512f,avx512bw,avx512vl")]] void judge_avx512(const SumLanes& lanes, const JudgedChannel& channel,
                                                               const Output& o, float widest,
                                                               const std::uint8_t* answer, Judged& judged) {
  constexpr __mmask16 kAll = 0xffff;
  constexpr int kToEven = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
  const __m512 zero_point = _mm512_set1_ps(o.zero_point);
  const __m512 low = _mm512_set1_ps(-o.zero_point), high = _mm512_set1_ps(255.0F - o.zero_point);
  const __m512 floor_of_relu = _mm512_set1_ps(o.relu ? 0.0F : -o.zero_point);
  const __m512 bias = _mm512_set1_ps(o.biased ? channel.literal_bias : -0.0F);
  bool plain = true;
  for (std::size_t p = 0; p < kLanes; p += 16) {
    const auto left = static_cast<std::size_t>(lanes.count) - std::min(p, static_cast<std::size_t>(lanes.count));
    const auto live = static_cast<__mmask16>(left >= 16 ? 0xffffU : (1U << left) - 1);
    const __m512 raw = _mm512_maskz_cvtepi32_ps(kAll, _mm512_loadu_si512(lanes.exact.data() + p));
    const __m512 s = (raw + _mm512_set1_ps(channel.bias)) * _mm512_set1_ps(channel.multiplier);
    const __m512 above = _mm512_maskz_max_ps(kAll, s, _mm512_set1_ps(o.lowest));
    const __m512 inside = _mm512_maskz_min_ps(kAll, above, _mm512_set1_ps(o.highest));
    const __m512 n = _mm512_maskz_roundscale_ps(kAll, inside, kToEven);
    const __m512 margin =
        _mm512_set1_ps(0.5F) - _mm512_abs_ps(inside - n) - _mm512_set1_ps(JudgedChannel::kSlope) * _mm512_abs_ps(s);
    const __m512i exact = _mm512_maskz_cvttps_epi32(kAll, n + zero_point);

    const __m512 scaled = (_mm512_loadu_ps(lanes.rounded.data() + p) + bias) / _mm512_set1_ps(o.scale);
    const __m512 clamped = _mm512_maskz_min_ps(kAll, _mm512_maskz_max_ps(kAll, scaled, low), high);
    const __m512 m = _mm512_maskz_roundscale_ps(kAll, clamped, kToEven);
    const __m512i float_sum = _mm512_maskz_cvttps_epi32(kAll, _mm512_maskz_max_ps(kAll, m, floor_of_relu) + zero_point);

    const __m512i expected = _mm512_maskz_cvtepu8_epi32(kAll, _mm_maskz_loadu_epi8(live, answer + p));
    const unsigned others = static_cast<unsigned>(_mm512_cmpneq_epi32_mask(exact, expected)) |
                            static_cast<unsigned>(_mm512_cmpneq_epi32_mask(float_sum, expected)) |
                            static_cast<unsigned>(_mm512_cmp_ps_mask(margin, _mm512_set1_ps(widest), _CMP_LT_OQ));
    plain = plain && (others & live) == 0;
    _mm512_storeu_ps(judged.margin.data() + p, margin);
    _mm512_storeu_si512(judged.exact.data() + p, exact);
    _mm512_storeu_si512(judged.float_sum.data() + p, float_sum);
  }
  judged.plain = plain;
}

}  // namespace

Judge best_judge() {
  const bool avx512 = __builtin_cpu_supports("avx512bw") != 0 && __builtin_cpu_supports("avx512vl") != 0;
  return avx512 ? judge_avx512 : judge_portable;
}

}  // namespace tieout
