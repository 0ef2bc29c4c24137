#include "oracle/judge_lanes.h"

#include <algorithm>
#include <cmath>

namespace tieout {
namespace {

constexpr std::size_t kLanes = SumLanes::kLanes;

[[gnu::always_inline]] inline void judge_lanes(const SumLanes& lanes, const JudgedChannel& channel, const Output& o,
                                               float widest, const std::uint8_t* answer, Judged& judged) {
  // roundeven: ties to even, whatever the rounding mode; an instruction where the CPU has it, and C++ does not name it yet.
  for (std::size_t p = 0; p < kLanes; ++p) {
    const float s = (static_cast<float>(lanes.exact[p]) + channel.bias) * channel.multiplier;
    const float inside = std::min(std::max(s, o.lowest), o.highest);
    const float n = __builtin_roundevenf(inside);
    judged.margin[p] = 0.5F - std::fabs(inside - n) - JudgedChannel::kSlope * std::fabs(s);
    judged.exact[p] = static_cast<std::int32_t>(n + o.zero_point);
  }
  // manual_output_2, operation by operation: dequantized.cpp. Beyond the output's range it makes no difference where to stop.
  const float low = -o.zero_point, high = 255.0F - o.zero_point;
  for (std::size_t p = 0; p < kLanes; ++p) {
    float v = lanes.rounded[p];
    if (o.biased) v += channel.literal_bias;
    const float scaled = v / o.scale;
    float n = __builtin_roundevenf(std::min(std::max(scaled, low), high));
    if (o.relu) n = std::max(n, 0.0F);
    judged.float_sum[p] = static_cast<std::int32_t>(n + o.zero_point);
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

[[gnu::target("avx512f,avx512bw,avx512dq,avx512vl")]] void judge_avx512(const SumLanes& lanes,
                                                                        const JudgedChannel& channel, const Output& o,
                                                                        float widest, const std::uint8_t* answer,
                                                                        Judged& judged) {
  judge_lanes(lanes, channel, o, widest, answer, judged);
}
[[gnu::target("avx2")]] void judge_avx2(const SumLanes& lanes, const JudgedChannel& channel, const Output& o,
                                        float widest, const std::uint8_t* answer, Judged& judged) {
  judge_lanes(lanes, channel, o, widest, answer, judged);
}
void judge_portable(const SumLanes& lanes, const JudgedChannel& channel, const Output& o, float widest,
                    const std::uint8_t* answer, Judged& judged) {
  judge_lanes(lanes, channel, o, widest, answer, judged);
}

}  // namespace

Judge best_judge() {
  if (__builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0) return judge_avx512;
  return __builtin_cpu_supports("avx2") != 0 ? judge_avx2 : judge_portable;
}

}  // namespace tieout
