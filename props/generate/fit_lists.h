#pragma once
// Resizes the lists of a case after its number of output channels or its granularity has changed.

#include "cases/conv_case.h"

namespace tieout {

// Gives scales, zero points and the bias, if there is one, as many values as the case needs, by repeating the first.
inline void fit_lists(ConvCase& c) {
  const auto channels = static_cast<std::size_t>(c.out_channels);
  const std::size_t parameters = c.granularity == Granularity::per_channel ? channels : 1;
  c.weight_scales.resize(parameters, c.weight_scales.front());
  c.weight_zero_points.resize(parameters, c.weight_zero_points.front());
  if (!c.bias.empty()) c.bias.resize(channels, c.bias.front());
  if (!c.int32_bias.empty()) c.int32_bias.resize(channels, c.int32_bias.front());
}

}  // namespace tieout
