#include "oracle/dequantized.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "oracle/ties_to_even.h"

namespace tieout {
namespace {

// Where an output element stands.
struct Place {
  std::int64_t n = 0, k = 0;
  Spatial at{};
};

// Negative values become 0; -0.0 and NaN stay, as they do in torch.relu.
template <typename Real>
Real relu(Real v) {
  return v < 0 ? Real(0) : v;
}

float dequantized_activation(const ConvCase& c, std::uint8_t q) {
  return static_cast<float>(q - c.activation_zero_point) * static_cast<float>(c.activation_scale);
}

template <typename Real>
Real dequantized_weight(const ConvCase& c, std::int64_t k, std::int8_t q);

template <>
double dequantized_weight(const ConvCase& c, std::int64_t k, std::int8_t q) {
  return static_cast<double>(q - weight_zero_point(c, k)) * weight_scale(c, k);
}

template <>
float dequantized_weight(const ConvCase& c, std::int64_t k, std::int8_t q) {
  const auto steps = static_cast<float>(q - weight_zero_point(c, k));
  if (c.granularity == Granularity::per_tensor) return steps * static_cast<float>(weight_scale(c, k));
  return static_cast<float>(static_cast<double>(steps) * weight_scale(c, k));
}

// The activation that tap `tap` of the window at `place` meets; 0 outside of the input.
float activation_under(const ConvProblem& problem, const Place& place, std::int64_t channel, const Spatial& tap) {
  const ConvCase& c = problem.spec;
  std::int64_t offset = place.n * c.in_channels + channel;
  for (std::size_t d = 0; d < tap.size(); ++d) {
    const std::int64_t position = place.at[d] * c.stride[d] - c.padding[d] + tap[d] * c.dilation[d];
    if (position < 0 || position >= c.input[d]) return 0;
    offset = offset * c.input[d] + position;
  }
  return dequantized_activation(c, problem.activation[static_cast<std::size_t>(offset)]);
}

// v: the convolution in real units, every operation in Real.
template <typename Real>
Real convolved(const ConvProblem& problem, const Place& place) {
  const ConvCase& c = problem.spec;
  const std::int64_t channels = c.in_channels / c.groups;
  const std::int64_t group = place.k / (c.out_channels / c.groups);
  auto weight = problem.weight.begin() + place.k * reduction_length(c);  // O, I, D, H, W: the order of the sum
  Real sum = 0;
  for (std::int64_t i = 0; i < channels; ++i) {
    for (std::int64_t kd = 0; kd < c.kernel[0]; ++kd) {
      for (std::int64_t kh = 0; kh < c.kernel[1]; ++kh) {
        for (std::int64_t kw = 0; kw < c.kernel[2]; ++kw) {
          const auto x = static_cast<Real>(activation_under(problem, place, group * channels + i, {kd, kh, kw}));
          sum += x * dequantized_weight<Real>(c, place.k, *weight++);
        }
      }
    }
  }
  return c.bias.empty() ? sum : sum + static_cast<Real>(c.bias[static_cast<std::size_t>(place.k)]);
}

template <typename Real>
std::uint8_t saturated(Real y, std::int64_t zero_point) {
  if (std::isnan(y)) return 0;
  return static_cast<std::uint8_t>(std::clamp(y + static_cast<Real>(zero_point), Real(0), Real(255)));
}

// y(v) for every output element, v being the convolution there.
template <typename Real, typename Quantize>
Tensor<std::uint8_t> quantized(const ConvProblem& problem, Quantize y) {
  const ConvCase& c = problem.spec;
  const Spatial size = output_size(c);
  Tensor<std::uint8_t> result{output_shape(c), {}};
  for (Place p; p.n < c.batch; ++p.n) {
    for (p.k = 0; p.k < c.out_channels; ++p.k) {
      for (p.at[0] = 0; p.at[0] < size[0]; ++p.at[0]) {
        for (p.at[1] = 0; p.at[1] < size[1]; ++p.at[1]) {
          for (p.at[2] = 0; p.at[2] < size[2]; ++p.at[2]) {
            result.values.push_back(saturated(y(convolved<Real>(problem, p)), c.output_zero_point));
          }
        }
      }
    }
  }
  return result;
}

void require_document_case(const ConvCase& c) {
  const Spatial ones{1, 1, 1};
  if (c.in_channels == 1 && c.out_channels == 1 && c.kernel == ones && c.stride == ones && c.padding == Spatial{} &&
      weight_zero_point(c, 0) == 0 && c.bias.size() == 1 && c.relu == Relu::on) {
    return;
  }
  std::fputs("oracle/dequantized.cpp: the script's expressions are for its own one-channel 1x1 convolution\n", stderr);
  std::abort();
}

}  // namespace

Tensor<double> document_output_1(const ConvProblem& problem) {
  const ConvCase& c = problem.spec;
  require_document_case(c);
  Tensor<double> result{output_shape(c), {}};
  const double weight = static_cast<double>(problem.weight.front()) * c.weight_scales.front();
  for (const std::uint8_t q : problem.activation) {
    const double v = static_cast<double>(dequantized_activation(c, q)) * weight + static_cast<double>(c.bias.front());
    result.values.push_back(ties_to_even(relu(v / c.output_scale)));
  }
  return result;
}

Tensor<float> document_output_2(const ConvProblem& problem) {
  const ConvCase& c = problem.spec;
  require_document_case(c);
  Tensor<float> result{output_shape(c), {}};
  const auto weight = dequantized_weight<float>(c, 0, problem.weight.front());
  for (const std::uint8_t q : problem.activation) {
    const float v = dequantized_activation(c, q) * weight + c.bias.front();
    result.values.push_back(relu(ties_to_even(v / static_cast<float>(c.output_scale))));
  }
  return result;
}

Tensor<std::uint8_t> manual_output_1(const ConvProblem& problem) {
  const ConvCase& c = problem.spec;
  return quantized<double>(problem, [&c](double v) {
    const double steps = v / c.output_scale;
    return ties_to_even(c.relu == Relu::on ? relu(steps) : steps);
  });
}

Tensor<std::uint8_t> manual_output_2(const ConvProblem& problem) {
  const ConvCase& c = problem.spec;
  return quantized<float>(problem, [&c](float v) {
    const float steps = ties_to_even(v / static_cast<float>(c.output_scale));
    return c.relu == Relu::on ? relu(steps) : steps;
  });
}

}  // namespace tieout
