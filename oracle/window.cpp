#include "oracle/window.h"

namespace tieout {

void gather(const ConvProblem& problem, std::int64_t offset, Window& window) {
  const ConvCase& c = problem.spec;
  const Spatial out = output_size(c);
  Spatial at{};
  for (std::size_t d = 3; d-- > 0;) {
    at[d] = offset % out[d] * c.stride[d] - c.padding[d];
    offset /= out[d];
  }
  const std::int64_t k = offset % c.out_channels;
  const std::int64_t n = offset / c.out_channels;
  const std::int64_t channels = c.in_channels / c.groups;
  const std::int64_t plane = volume(c.input);
  const std::int64_t taps = volume(c.kernel);
  const std::int64_t first = (n * c.in_channels + k / (c.out_channels / c.groups) * channels) * plane;
  const std::int64_t weights_first = k * channels * taps;

  const auto length = static_cast<std::size_t>(taps * channels);
  window.x.resize(length);
  window.w.resize(length);
  window.inside.resize(length);
  window.products = window.activations = window.weights = 0;
  std::size_t product = 0;
  for (std::int64_t tap = 0; tap < taps; ++tap) {
    const Spatial from{at[0] + tap / (c.kernel[1] * c.kernel[2]) * c.dilation[0],
                       at[1] + tap / c.kernel[2] % c.kernel[1] * c.dilation[1],
                       at[2] + tap % c.kernel[2] * c.dilation[2]};
    bool inside = true;
    for (std::size_t d = 0; d < 3; ++d) inside = inside && from[d] >= 0 && from[d] < c.input[d];
    const std::int64_t position = (from[0] * c.input[1] + from[1]) * c.input[2] + from[2];
    for (std::int64_t i = 0; i < channels; ++i, ++product) {
      const std::uint8_t x = inside ? problem.activation[static_cast<std::size_t>(first + i * plane + position)]
                                    : static_cast<std::uint8_t>(c.activation_zero_point);
      const std::int8_t w = problem.weight[static_cast<std::size_t>(weights_first + i * taps + tap)];
      window.x[product] = x;
      window.w[product] = w;
      window.inside[product] = inside ? 1 : 0;
      window.products += std::int64_t{x} * w;
      window.activations += x;
      window.weights += w;
    }
  }
  window.spec = &c;
  window.xs = c.activation_scale;
  window.ws = weight_scale(c, k);
  window.os = c.output_scale;
  window.xz = c.activation_zero_point;
  window.wz = weight_zero_point(c, k);
  window.oz = c.output_zero_point;
  window.bias = c.bias.empty() ? std::optional<float>{} : c.bias[static_cast<std::size_t>(k)];
  window.relu = c.relu;
  window.granularity = c.granularity;
  window.group_channels = channels;
}

}  // namespace tieout
