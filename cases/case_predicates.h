#pragma once
// Provides properties of a case that several folders test.

#include <algorithm>

#include "cases/conv_case.h"

namespace tieout {

// True if quantized::linear computes the case.
[[nodiscard]] inline bool is_linear(const ConvCase& c) { return c.execution.call == Call::linear; }

// True if there are several groups of one input and one output channel each.
[[nodiscard]] inline bool is_depthwise(const ConvCase& c) {
  return c.groups > 1 && c.in_channels == c.groups && c.out_channels == c.groups;
}

[[nodiscard]] inline bool has_weight_zero_point(const ConvCase& c) {
  return std::any_of(c.weight_zero_points.begin(), c.weight_zero_points.end(), [](std::int64_t z) { return z != 0; });
}

}  // namespace tieout
