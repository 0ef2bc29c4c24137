#include "oracle/element/window.h"

namespace tieout {
namespace {

// Distances, in elements, between neighbouring images, channels and positions.
struct Strides {
  std::int64_t image, channel, position;
};

void gather(const ConvCase& c, const std::uint8_t* activation, const Strides& strides, const std::int8_t* weight,
            const OutputPlace& place, std::int64_t k, Window& window) {
  const std::int64_t channels = c.in_channels / c.groups;
  const std::int64_t taps = volume(c.kernel);
  const std::uint8_t* const image =
      activation + place.image * strides.image + k / (c.out_channels / c.groups) * channels * strides.channel;
  const std::int8_t* const weights = weight + k * channels * taps;

  const auto length = static_cast<std::size_t>(taps * channels);
  window.x.resize(length);
  window.w.resize(length);
  window.inside.resize(length);
  // Local pointers: a write through a byte pointer may alias the vectors' own pointers, which would then be reloaded.
  std::uint8_t* to_x = window.x.data();
  std::int8_t* to_w = window.w.data();
  std::uint8_t* to_inside = window.inside.data();
  std::int64_t products = 0, activations = 0, weight_sum = 0;
  for (std::int64_t tap = 0; tap < taps; ++tap) {
    const Spatial in_kernel{tap / (c.kernel[1] * c.kernel[2]), tap / c.kernel[2] % c.kernel[1], tap % c.kernel[2]};
    Spatial from{};
    bool inside = true;
    for (std::size_t d = 0; d < 3; ++d) {
      from[d] = place.at[d] * c.stride[d] - c.padding[d] + in_kernel[d] * c.dilation[d];
      inside = inside && from[d] >= 0 && from[d] < c.input[d];
    }
    const std::int64_t position = (from[0] * c.input[1] + from[1]) * c.input[2] + from[2];
    const std::uint8_t* const pixel = inside ? image + position * strides.position : nullptr;
    for (std::int64_t i = 0; i < channels; ++i) {
      const std::uint8_t x = inside ? pixel[i * strides.channel] : static_cast<std::uint8_t>(c.activation_zero_point);
      const std::int8_t w = weights[i * taps + tap];
      *to_x++ = x;
      *to_w++ = w;
      *to_inside++ = inside ? 1 : 0;
      products += std::int64_t{x} * w;
      activations += x;
      weight_sum += w;
    }
  }
  window.products = products + int32_bias(c, k);
  window.activations = activations;
  window.weights = weight_sum;
  describe(c, k, window);
}

}  // namespace

void describe(const ConvCase& c, std::int64_t k, Window& window) {
  window.spec = &c;
  window.xs = c.activation_scale;
  window.ws = weight_scale(c, k);
  window.os = c.output_scale;
  window.xz = c.activation_zero_point;
  window.wz = weight_zero_point(c, k);
  window.oz = c.output_zero_point;
  window.bias = c.bias.empty() ? std::optional<float>{} : c.bias[static_cast<std::size_t>(k)];
  window.int32_bias = int32_bias(c, k);
  window.output_shift = stored_shift(c.output_type);
  window.relu = c.relu;
  window.granularity = c.granularity;
  window.group_channels = c.in_channels / c.groups;
}

void gather(const ConvProblem& problem, std::int64_t offset, Window& window) {
  const ConvCase& c = problem.spec;
  const OutputElement element = element_at(offset, c);
  const std::int64_t plane = volume(c.input);
  gather(c, problem.activation.data(), {c.in_channels * plane, plane, 1}, problem.weight.data(),
         OutputPlace(element.position, output_size(c)), element.k, window);
}

void gather(const LayerView& layer, const OutputElement& element, Window& window) {
  const ConvCase& c = *layer.spec;
  gather(c, layer.activation, {c.in_channels * volume(c.input), 1, c.in_channels}, layer.weight,
         OutputPlace(element.position, output_size(c)), element.k, window);
}

}  // namespace tieout
