#include "oracle/window.h"

namespace tieout {

std::vector<std::int8_t> reordered_weights(const ConvProblem& problem) {
  const std::int64_t channels = problem.spec.in_channels / problem.spec.groups;
  const std::int64_t taps = volume(problem.spec.kernel);
  std::vector<std::int8_t> reordered(problem.weight.size());
  auto from = problem.weight.begin();
  for (std::int64_t k = 0; k < problem.spec.out_channels; ++k) {
    for (std::int64_t i = 0; i < channels; ++i) {
      for (std::int64_t tap = 0; tap < taps; ++tap, ++from) {
        reordered[static_cast<std::size_t>((k * taps + tap) * channels + i)] = *from;
      }
    }
  }
  return reordered;
}

void gather_activations(const ConvProblem& problem, std::int64_t image, std::int64_t position, Window& window) {
  const ConvCase& c = problem.spec;
  const Spatial out = output_size(c);
  Spatial at{};
  for (std::size_t d = 3; d-- > 0;) {
    at[d] = position % out[d] * c.stride[d] - c.padding[d];
    position /= out[d];
  }
  const std::int64_t channels = c.in_channels / c.groups;
  const std::int64_t plane = volume(c.input);
  const std::uint8_t* const first = problem.activation.data() + image * channels * plane;
  const auto length = static_cast<std::size_t>(reduction_length(c));
  window.x.resize(length);
  window.inside.resize(length);
  window.activations = 0;
  std::size_t product = 0;
  for (std::int64_t kd = 0; kd < c.kernel[0]; ++kd) {
    for (std::int64_t kh = 0; kh < c.kernel[1]; ++kh) {
      for (std::int64_t kw = 0; kw < c.kernel[2]; ++kw) {
        const Spatial from{at[0] + kd * c.dilation[0], at[1] + kh * c.dilation[1], at[2] + kw * c.dilation[2]};
        bool inside = true;
        for (std::size_t d = 0; d < 3; ++d) inside = inside && from[d] >= 0 && from[d] < c.input[d];
        const std::uint8_t* const x = first + (from[0] * c.input[1] + from[1]) * c.input[2] + from[2];
        for (std::int64_t i = 0; i < channels; ++i, ++product) {
          window.x[product] = inside ? x[i * plane] : static_cast<std::uint8_t>(c.activation_zero_point);
          window.inside[product] = inside ? 1 : 0;
          window.activations += window.x[product];
        }
      }
    }
  }
  window.spec = &c;
  window.xs = c.activation_scale;
  window.os = c.output_scale;
  window.xz = c.activation_zero_point;
  window.oz = c.output_zero_point;
  window.relu = c.relu;
  window.granularity = c.granularity;
  window.group_channels = channels;
}

void take_channel(const ConvCase& c, std::int64_t k, const std::int8_t* weights, Window& window) {
  window.w.assign(weights, weights + window.x.size());
  window.products = window.weights = 0;
  for (std::size_t i = 0; i < window.w.size(); ++i) {
    window.products += std::int64_t{window.x[i]} * window.w[i];
    window.weights += window.w[i];
  }
  window.ws = weight_scale(c, k);
  window.wz = weight_zero_point(c, k);
  window.bias = c.bias.empty() ? std::optional<float>{} : c.bias[static_cast<std::size_t>(k)];
}

void gather(const ConvProblem& problem, std::int64_t offset, Window& window) {
  const ConvCase& c = problem.spec;
  const std::int64_t positions = volume(output_size(c));
  const std::int64_t channel = offset / positions;  // and batch
  const std::int64_t k = channel % c.out_channels;
  gather_activations(problem, channel / (c.out_channels / c.groups), offset % positions, window);
  const std::int64_t channels = c.in_channels / c.groups;
  const std::int64_t taps = volume(c.kernel);
  const std::int8_t* const from = problem.weight.data() + k * channels * taps;
  std::vector<std::int8_t> weights;
  weights.reserve(window.x.size());
  for (std::int64_t tap = 0; tap < taps; ++tap) {
    for (std::int64_t i = 0; i < channels; ++i) weights.push_back(from[i * taps + tap]);
  }
  take_channel(c, k, weights.data(), window);
}

}  // namespace tieout
