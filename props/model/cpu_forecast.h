#pragma once
// Predicts which layers could change with the CPU: where pairs of products are added in 16 bits, sums of two can
// saturate (pytorch/pytorch#126521). The prediction uses the real activations and covers instruction sets that this
// machine need not have.

#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "oracle/engines/fbgemm_path.h"
#include "oracle/libtorch/libtorch.h"
#include "props/model/layer_walk.h"
#include "reports/data/model_report.h"

namespace tieout {

// Determines from the layer's weights and its activations, padding included, whether pairs can saturate. Neighbours are
// those of the layer's path in FBGEMM, in the order kernel depth, height, width, channel.
[[nodiscard]] PairSaturation pair_saturation(const ComputedLayer& walked);

// Describes what computed the operator's answer.
struct Here {
  // The engine that the model was opened for.
  Engine asked = Engine::fbgemm;
  Hardware hardware;
  // The arithmetic if the engine was FBGEMM.
  Arithmetic fbgemm;
};

// Returns how a hypothesis was found to differ from the operator; nullptr if it was not evaluated.
using SaidBy = std::function<const Mismatches*(std::string_view hypothesis)>;

// Predicts how the engine's answer would differ from the operator's on AVX2, on AVX-512 without VNNI and on AVX-512
// with VNNI. Returns only those on which something changes, or on which LibTorch has a known defect. X86 uses FBGEMM
// without AVX-512 VNNI and mostly ONEDNN with it. walked: computed with here.fbgemm.
[[nodiscard]] std::vector<CpuForecast> cpu_forecasts(const CapturedConv& captured, const ComputedLayer& walked,
                                                     const Here& here, int threads, const SaidBy& said);

// Returns the layer's output as it is predicted for a CPU, "avx2", "avx512" or "avx512_vnni": N x D' x H' x W' x K.
// asked: the engine that the model was opened for. Returns nothing if what LibTorch computes there is not predicted.
[[nodiscard]] std::optional<std::vector<std::uint8_t>> output_on(std::string_view cpu, const CapturedConv& captured,
                                                                 Engine asked, const LibTorch& reference, int threads);

}  // namespace tieout
