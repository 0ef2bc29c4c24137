#include "props/model/cpu_forecast.h"

#include <algorithm>
#include <array>
#include <utility>

#include "kernels/packed/packed_conv.h"
#include "oracle/engines/engine_model.h"
#include "oracle/engines/known_defects.h"
#include "props/model/layer_verify.h"

namespace tieout {
namespace {

struct NamedHardware {
  const char* name;
  Hardware hardware;
};

constexpr std::array<NamedHardware, 3> kCpus{{{"avx2", {.avx512 = false, .avx512_vnni = false}},
                                              {"avx512", {.avx512 = true, .avx512_vnni = false}},
                                              {"avx512_vnni", {.avx512 = true, .avx512_vnni = true}}}};

// Describes which engine computes a layer on a CPU, and by which code.
struct Computation {
  Engine engine = Engine::fbgemm;
  // The arithmetic if the engine is FBGEMM.
  Arithmetic fbgemm;
  // The code if the engine is ONEDNN.
  OnednnCode onednn = OnednnCode::vnni;

  bool operator==(const Computation&) const = default;
};

Computation computation_on(const Hardware& hardware, const ConvCase& c, Engine asked) {
  Computation there{.engine = asked == Engine::x86 ? x86_picks(c, hardware) : c.execution.engine};
  if (there.engine == Engine::fbgemm) {
    there.fbgemm = fbgemm_arithmetic(fbgemm_path(c, hardware), Isa::native, hardware);
  }
  if (there.engine == Engine::onednn) there.onednn = onednn_code(c, hardware);
  return there;
}

struct Changed {
  std::int64_t elements = 0;
  int largest = 0;

  void note(std::uint8_t a, std::uint8_t b) {
    elements += a != b ? 1 : 0;
    largest = std::max(largest, std::abs(int{a} - int{b}));
  }
};

// Counts the changes if only the products differ: only elements whose windows have saturating pairs can change.
Changed at_saturating_pairs(const CapturedConv& captured, const ComputedLayer& walked, const Arithmetic& there) {
  Changed changed;
  Window window;
  for (const OutputElement& element : walked.mismatches.saturating) {
    gather(captured.view(), element, window);
    const auto place = static_cast<std::size_t>(element.position * captured.spec.out_channels + element.k);
    changed.note(fbgemm_model(window, there, nullptr), captured.output[place]);
  }
  return changed;
}

// Returns the layer's output by FBGEMM's arithmetic, N x D' x H' x W' x K.
std::vector<std::uint8_t> output_by(const CapturedConv& captured, const Arithmetic& there, int threads) {
  std::vector<std::uint8_t> y(captured.output.size());
  PackedConv(captured.spec, captured.weight, there).run(captured.activation.data(), y.data(), threads);
  return y;
}

Changed everywhere(const CapturedConv& captured, const Arithmetic& there, int threads) {
  Changed changed;
  const std::vector<std::uint8_t> y = output_by(captured, there, threads);
  for (std::size_t i = 0; i < y.size(); ++i) changed.note(y[i], captured.output[i]);
  return changed;
}

// Counts the changes by the hypothesis that models ONEDNN if it was evaluated, which is fast, and else element by
// element.
Changed by_onednn(const CapturedConv& captured, const Hardware& hardware, const SaidBy& said) {
  if (const Mismatches* const found = said(hypothesis_of(Engine::onednn, captured.spec.execution.call, hardware));
      found != nullptr) {
    return {.elements = found->differing, .largest = found->largest};
  }
  Changed changed;
  const Answers there = predict(problem_of(captured.view()), Engine::onednn, hardware);
  const Tensor<std::uint8_t> here = answer_of(captured);
  for (std::size_t i = 0; i < here.values.size(); ++i)
    changed.note(static_cast<std::uint8_t>(there.values[i]), here.values[i]);
  return changed;
}

}  // namespace

std::optional<std::vector<std::uint8_t>> output_on(std::string_view cpu, const CapturedConv& captured, Engine asked,
                                                   const LibTorch& reference, int threads) {
  const auto named = std::ranges::find(kCpus, cpu, [](const NamedHardware& of) { return std::string_view(of.name); });
  if (named == kCpus.end()) return {};
  Hardware hardware = named->hardware;
  hardware.libtorch = reference.hardware().libtorch;
  const Computation there = computation_on(hardware, captured.spec, asked);
  const ConvCase& c = captured.spec;
  if (there.engine == Engine::fbgemm) return output_by(captured, there.fbgemm, threads);
  if (there.engine != Engine::onednn) return {};
  const Tensor<std::uint8_t> y = as_bytes(predict(problem_of(captured.view()), Engine::onednn, hardware));
  return channels_last(y.values.data(), c.batch, c.out_channels, volume(output_size(c)));
}

PairSaturation pair_saturation(const ComputedLayer& walked) {
  if (!walked.extremes.leave_int16(255)) return PairSaturation::never;
  return walked.extremes.leave_int16(walked.range.highest) ? PairSaturation::possible : PairSaturation::unused;
}

std::vector<CpuForecast> cpu_forecasts(const CapturedConv& captured, const ComputedLayer& walked, const Here& here,
                                       int threads, const SaidBy& said) {
  const ConvCase& c = captured.spec;
  ConvCase asked = c;
  if (here.asked == Engine::x86) asked.execution.engine = Engine::x86;
  Computation now = computation_on(here.hardware, c, here.asked);
  if (now.engine == Engine::fbgemm) now.fbgemm = here.fbgemm;
  const auto changed_by = [&](const NamedHardware& cpu, const Computation& there) {
    if (there.engine == Engine::onednn) return by_onednn(captured, cpu.hardware, said);
    // The path may change as well, and with it the rounding of a bias.
    Computation alike = there;
    alike.fbgemm.products = now.fbgemm.products;
    return alike == now && walked.kernel.differing == 0 ? at_saturating_pairs(captured, walked, there.fbgemm)
                                                        : everywhere(captured, there.fbgemm, threads);
  };
  std::vector<CpuForecast> forecasts;
  std::vector<std::pair<Computation, Changed>> known;
  for (NamedHardware cpu : kCpus) {
    cpu.hardware.libtorch = here.hardware.libtorch;
    const Computation there = computation_on(cpu.hardware, c, here.asked);
    // How oneDNN computes with AVX-512 but without VNNI was never observed.
    const bool unseen = there.engine == Engine::onednn && cpu.hardware.avx512 && !cpu.hardware.avx512_vnni;
    if (there == now || there.engine == Engine::qnnpack || unseen) continue;
    if (const KnownDefect* const defect = known_defect(asked, cpu.hardware); defect != nullptr) {
      forecasts.push_back({.isa = cpu.name, .defect = std::string(defect->id)});
      continue;
    }
    auto same = std::find_if(known.begin(), known.end(), [&](const auto& entry) { return entry.first == there; });
    if (same == known.end()) same = known.emplace(known.end(), there, changed_by(cpu, there));
    if (same->second.elements > 0) {
      forecasts.push_back({.isa = cpu.name, .elements = same->second.elements, .largest = same->second.largest});
    }
  }
  return forecasts;
}

}  // namespace tieout
