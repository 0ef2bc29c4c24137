#include "kernels/channel_scale.h"

#include <numeric>

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

PackedChannel packed_channel(const ConvCase& c, const Arithmetic& arithmetic, std::span<const std::int8_t> weight,
                             std::int64_t k) {
  const std::int64_t length = reduction_length(c);
  const auto weights = weight.subspan(static_cast<std::size_t>(k * length), static_cast<std::size_t>(length));
  const std::int64_t xz = c.activation_zero_point;
  const std::int64_t wz = weight_zero_point(c, k);
  const std::int64_t sum = sum_of_weights(weights);
  return {.start = static_cast<std::int32_t>(length * xz * wz - xz * sum + int32_bias(c, k)),  // modulo 2^32
          .weight_zero_point = static_cast<std::int32_t>(wz),
          .scale = channel_scale(c, arithmetic, k)};
}

std::int32_t sum_of_weights(std::span<const std::int8_t> weights) {
  return static_cast<std::int32_t>(
      std::accumulate(weights.begin(), weights.end(), std::uint32_t{0},
                      [](auto sum, auto w) { return sum + static_cast<std::uint32_t>(w); }));
}

}  // namespace tieout
