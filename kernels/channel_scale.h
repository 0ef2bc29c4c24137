#pragma once
// Per-channel constants of the fast kernels (conv_traces.cpp and the packed kernel): the float32 factors that
// requantize an output channel's integer sums, and the value that each sum starts from. The specification,
// conv_relu.cpp, computes its own, so that the two implementations share no requantization code.

#include <cstdint>
#include <span>

#include "cases/conv_case.h"

namespace tieout {

// The float32 constants of requantization for one output channel, where raw is the integer sum without zero points:
//   s = fma(bias, reciprocal, float(raw)) * multiplier
// Where the bias is not fused, `reciprocal` is 1: fma(bias, 1, f) is f + bias with its single rounding.
struct ChannelScale {
  float bias = 0, reciprocal = 1, multiplier = 0;
};

// Returns the constants of output channel k, computed in float32 in the order in which FBGEMM computes them: see
// oracle/README.md, requantization.
[[nodiscard]] ChannelScale channel_scale(const ConvCase& c, const Arithmetic& arithmetic, std::int64_t k);

// The constants that one lane of the packed loops needs for its channel: see BlockNumbers in loops.h. A lane that only
// fills up a block has all zeros.
struct PackedChannel {
  std::int32_t start = 0, weight_zero_point = 0;
  ChannelScale scale;
};

// Returns the constants of output channel k. weight: the weights of all channels, K x C/groups x kernel.
[[nodiscard]] PackedChannel packed_channel(const ConvCase& c, const Arithmetic& arithmetic,
                                           std::span<const std::int8_t> weight, std::int64_t k);

// Returns the sum of the weights modulo 2^32, because it becomes part of an int32 sum that wraps.
[[nodiscard]] std::int32_t sum_of_weights(std::span<const std::int8_t> weights);

}  // namespace tieout
