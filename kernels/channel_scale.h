#pragma once
// What turns an output channel's integer sums into units of the output, and what they begin with. The specification
// (conv_relu.cpp) has its own.

#include <cstdint>
#include <span>

#include "cases/conv_case.h"

namespace tieout {

//   s = fma(bias, reciprocal, float(raw)) * multiplier
// Where the bias is not fused, the reciprocal is 1: fma(bias, 1, f) is f + bias with its one rounding.
struct ChannelScale {
  float bias = 0, reciprocal = 1, multiplier = 0;
};

// k: output channel. All float32, in the order in which FBGEMM computes them: see oracle/README.md, requantization.
[[nodiscard]] ChannelScale channel_scale(const ConvCase& c, const Arithmetic& arithmetic, std::int64_t k);

// What a lane of the packed loops knows of its channel: see BlockNumbers. One that only fills up a block is all zeros.
struct PackedChannel {
  std::int32_t start = 0, weight_zero_point = 0;
  ChannelScale scale;
};

// weight: of all channels.
[[nodiscard]] PackedChannel packed_channel(const ConvCase& c, const Arithmetic& arithmetic,
                                           std::span<const std::int8_t> weight, std::int64_t k);

// Modulo 2^32, as is what it goes into.
[[nodiscard]] std::int32_t sum_of_weights(std::span<const std::int8_t> weights);

}  // namespace tieout
