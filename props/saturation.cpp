#include "props/saturation.h"

#include <algorithm>
#include <array>

#include "kernels/conv_fast.h"
#include "reports/diff.h"

namespace tieout {
namespace {

struct Extremes {
  std::int64_t lowest = 0, highest = 0;  // of a pair of weights: its negative parts added up, and its positive ones
};

// Of all pairs that meet in one int16.
Extremes extremes_of_pairs(const ConvProblem& problem) {
  const ConvCase& c = problem.spec;
  const std::int64_t channels = c.in_channels / c.groups;
  const std::int64_t taps = volume(c.kernel);
  const std::int64_t length = channels * taps;
  std::vector<std::int64_t> place(static_cast<std::size_t>(length));  // of reduction number i in the weights
  for (std::int64_t i = 0; i < length; ++i) place[static_cast<std::size_t>(i)] = i % channels * taps + i / channels;
  Extremes found;
  for (std::int64_t k = 0; k < c.out_channels; ++k) {
    const std::int8_t* const w = problem.weight.data() + k * length;
    for (std::size_t i = 0; i < place.size(); i += 2) {
      const std::int64_t a = w[place[i]];
      const std::int64_t b = i + 1 < place.size() ? w[place[i + 1]] : 0;
      found.lowest = std::min(found.lowest, std::min<std::int64_t>(a, 0) + std::min<std::int64_t>(b, 0));
      found.highest = std::max(found.highest, std::max<std::int64_t>(a, 0) + std::max<std::int64_t>(b, 0));
    }
  }
  return found;
}

bool leaves_int16(const Extremes& weights, std::int64_t activation) {
  return weights.lowest * activation < -32768 || weights.highest * activation > 32767;
}

struct NamedHardware {
  const char* name;
  Hardware hardware;
};

constexpr std::array<NamedHardware, 3> kCpus{{{"avx2", {.avx512 = false, .avx512_vnni = false}},
                                              {"avx512", {.avx512 = true, .avx512_vnni = false}},
                                              {"avx512_vnni", {.avx512 = true, .avx512_vnni = true}}}};

}  // namespace

PairSaturation pair_saturation(const ConvProblem& problem) {
  const Extremes weights = extremes_of_pairs(problem);
  if (!leaves_int16(weights, 255)) return PairSaturation::never;
  std::int64_t largest = static_cast<std::uint8_t>(problem.spec.activation_zero_point);
  for (const std::uint8_t x : problem.activation) largest = std::max<std::int64_t>(largest, x);
  return leaves_int16(weights, largest) ? PairSaturation::possible : PairSaturation::unused;
}

std::vector<CpuForecast> cpu_forecasts(const ConvProblem& problem, const Tensor<std::uint8_t>& answer,
                                       const Arithmetic& now, PairSaturation saturation, int threads) {
  std::vector<CpuForecast> forecasts;
  std::vector<std::pair<Arithmetic, Diff>> known;
  for (const NamedHardware& cpu : kCpus) {
    const Arithmetic there = fbgemm_arithmetic(fbgemm_path(problem.spec, cpu.hardware), Isa::native, cpu.hardware);
    // Paths may change, too, and with them how a bias is rounded; if only the products differ, they have to saturate.
    Arithmetic alike = there;
    alike.products = now.products;
    if (there == now || (alike == now && saturation != PairSaturation::possible)) continue;
    auto same = std::find_if(known.begin(), known.end(), [&](const auto& entry) { return entry.first == there; });
    if (same == known.end())
      same = known.emplace(known.end(), there, diff(answer, conv_relu_fast(problem, there, threads)));
    const Diff& d = same->second;
    if (!d.equal()) {
      forecasts.push_back({cpu.name, static_cast<std::int64_t>(d.offsets.size()), d.largest});
    }
  }
  return forecasts;
}

}  // namespace tieout
