#include "kernels/channel_scale.h"

namespace tieout {

ChannelScale channel_scale(const ConvCase& c, const Arithmetic& arithmetic, std::int64_t k) {
  const float unit = static_cast<float>(c.activation_scale) * static_cast<float>(weight_scale(c, k));
  ChannelScale scale{.multiplier = unit / static_cast<float>(c.output_scale)};
  if (c.bias.empty()) return scale;
  const float bias = c.bias[static_cast<std::size_t>(k)];
  if (c.granularity == Granularity::per_channel) {
    scale.bias = bias / unit;
  } else if (arithmetic.tensor_bias == Arithmetic::TensorBias::separate) {
    scale.bias = bias * (1.0F / unit);
  } else {
    scale.bias = bias;
    scale.reciprocal = 1.0F / unit;
  }
  return scale;
}

}  // namespace tieout
