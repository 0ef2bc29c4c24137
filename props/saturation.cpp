#include "props/saturation.h"

#include <algorithm>
#include <array>
#include <utility>

#include "kernels/packed_conv.h"
#include "oracle/engine_model.h"

namespace tieout {
namespace {

struct NamedHardware {
  const char* name;
  Hardware hardware;
};

constexpr std::array<NamedHardware, 3> kCpus{{{"avx2", {.avx512 = false, .avx512_vnni = false}},
                                              {"avx512", {.avx512 = true, .avx512_vnni = false}},
                                              {"avx512_vnni", {.avx512 = true, .avx512_vnni = true}}}};

struct Changed {
  std::int64_t elements = 0;
  int largest = 0;

  void note(std::uint8_t a, std::uint8_t b) {
    elements += a != b ? 1 : 0;
    largest = std::max(largest, std::abs(int{a} - int{b}));
  }
};

// If only the products differ, only elements change in whose windows pairs saturate.
Changed at_saturating_pairs(const CapturedConv& captured, const WalkedLayer& walked, const Arithmetic& there) {
  Changed changed;
  Window window;
  for (const OutputElement& element : walked.opinion.saturating) {
    gather(captured.view(), element, window);
    const auto place = static_cast<std::size_t>(element.position * captured.spec.out_channels + element.k);
    changed.note(fbgemm_model(window, there, nullptr), captured.output[place]);
  }
  return changed;
}

Changed everywhere(const CapturedConv& captured, const Arithmetic& there, int threads) {
  Changed changed;
  std::vector<std::uint8_t> y(captured.output.size());
  PackedConv(captured.spec, captured.weight, there).run(captured.activation.data(), y.data(), threads);
  for (std::size_t i = 0; i < y.size(); ++i) changed.note(y[i], captured.output[i]);
  return changed;
}

}  // namespace

PairSaturation pair_saturation(const WalkedLayer& walked) {
  if (!walked.extremes.leave_int16(255)) return PairSaturation::never;
  return walked.extremes.leave_int16(walked.range.highest) ? PairSaturation::possible : PairSaturation::unused;
}

std::vector<CpuForecast> cpu_forecasts(const CapturedConv& captured, const WalkedLayer& walked, const Arithmetic& now,
                                       int threads) {
  std::vector<CpuForecast> forecasts;
  std::vector<std::pair<Arithmetic, Changed>> known;
  for (const NamedHardware& cpu : kCpus) {
    const Arithmetic there = fbgemm_arithmetic(fbgemm_path(captured.spec, cpu.hardware), Isa::native, cpu.hardware);
    if (there == now) continue;
    auto same = std::find_if(known.begin(), known.end(), [&](const auto& entry) { return entry.first == there; });
    if (same == known.end()) {
      // Paths may change, too, and with them how a bias is rounded.
      Arithmetic alike = there;
      alike.products = now.products;
      const Changed changed = alike == now && walked.kernel.differing == 0
                                  ? at_saturating_pairs(captured, walked, there)
                                  : everywhere(captured, there, threads);
      same = known.emplace(known.end(), there, changed);
    }
    if (same->second.elements > 0) forecasts.push_back({cpu.name, same->second.elements, same->second.largest});
  }
  return forecasts;
}

}  // namespace tieout
