#pragma once
// Which layers could change with the CPU: where pairs of products are added in 16 bits, sums of two can saturate
// (pytorch/pytorch#126521). Foretold from the real activations, for instruction sets that the machine need not have.

#include <functional>
#include <string_view>
#include <vector>

#include "oracle/fbgemm_path.h"
#include "props/layer_walk.h"
#include "reports/model_report.h"

namespace tieout {

// By the layer's weights and the activations that it sees (padding counts as one). Neighbours are those of the layer's path
// in FBGEMM: in the order kernel depth, height, width, channel.
[[nodiscard]] PairSaturation pair_saturation(const WalkedLayer& walked);

// What gave the operator's answer.
struct Here {
  Engine asked = Engine::fbgemm;  // that the model was opened for
  Hardware hardware;
  Arithmetic fbgemm;  // if it was FBGEMM
};

// What a hypothesis was found to say otherwise than the operator; nullptr if nobody asked it.
using SaidBy = std::function<const Disagreement*(std::string_view hypothesis)>;

// What that engine would answer otherwise than the operator did, on AVX2, on AVX-512 without VNNI and on AVX-512 with
// VNNI. Only those where something changes, or where LibTorch has a known defect. X86 takes FBGEMM without AVX-512 VNNI
// and mostly ONEDNN with it. walked: by here.fbgemm.
[[nodiscard]] std::vector<CpuForecast> cpu_forecasts(const CapturedConv& captured, const WalkedLayer& walked,
                                                     const Here& here, int threads, const SaidBy& said);

}  // namespace tieout
