#pragma once
// What turns an output channel's integer sums into units of the output. The specification (conv_relu.cpp) has its own.

#include <cstdint>

#include "cases/conv_case.h"

namespace tieout {

//   s = fma(bias, reciprocal, float(raw)) * multiplier
// Where the bias is not fused, the reciprocal is 1: fma(bias, 1, f) is f + bias with its one rounding.
struct ChannelScale {
  float bias = 0, reciprocal = 1, multiplier = 0;
};

// k: output channel. All float32, in the order in which FBGEMM computes them: see oracle/README.md, requantization.
[[nodiscard]] ChannelScale channel_scale(const ConvCase& c, const Arithmetic& arithmetic, std::int64_t k);

}  // namespace tieout
