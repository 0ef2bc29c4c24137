#pragma once
// Which layers could change with the CPU: where pairs of products are added in 16 bits, sums of two can saturate
// (pytorch/pytorch#126521). Foretold from the real activations, for instruction sets that the machine need not have.

#include <vector>

#include "oracle/fbgemm_path.h"
#include "reports/model_report.h"

namespace tieout {

// By the layer's weights and the activations that it sees (padding counts as one). Neighbours are those of the layer's path
// in FBGEMM: in the order kernel depth, height, width, channel.
[[nodiscard]] PairSaturation pair_saturation(const ConvProblem& problem);

// What FBGEMM would answer otherwise than `answer`, on AVX2, on AVX-512 without VNNI and on AVX-512 with VNNI, by the
// specification kernel. Only those where something changes. now: the arithmetic that gave `answer`.
[[nodiscard]] std::vector<CpuForecast> cpu_forecasts(const ConvProblem& problem, const Tensor<std::uint8_t>& answer,
                                                     const Arithmetic& now, PairSaturation saturation, int threads);

}  // namespace tieout
