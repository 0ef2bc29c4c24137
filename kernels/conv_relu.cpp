#include "kernels/conv_relu.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tieout {
namespace {

// The position of an output element: batch, output channel, depth, height and width.
struct Place {
  std::int64_t n, k, d, h, w;
};

// Sums over one window. 64 bits hold every sum of a valid case; the operator's int32 keeps the low 32 bits.
struct Sums {
  std::int64_t products = 0, activations = 0, weights = 0, taps = 0;
  std::int32_t saturated_pairs = 0;
  bool activations_saturated = false;

  void add_pair(std::int64_t pair) {
    const std::int64_t kept = std::clamp<std::int64_t>(pair, -32768, 32767);
    saturated_pairs += kept != pair ? 1 : 0;
    products += kept;
  }
};

Sums sum_window(const ConvProblem& problem, const Arithmetic& arithmetic, const Place& at) {
  const ConvCase& c = problem.spec;
  const std::int64_t group_channels = c.in_channels / c.groups;
  const std::int64_t first_channel = at.k / (c.out_channels / c.groups) * group_channels;
  const std::int64_t plane = volume(c.input);
  const std::int64_t taps = volume(c.kernel);
  const std::uint8_t* const x0 = problem.activation.data() + (at.n * c.in_channels + first_channel) * plane;
  const std::int8_t* const w0 = problem.weight.data() + at.k * group_channels * taps;
  Sums sums;
  std::int64_t pair = 0;  // the first product of a pair until its second is computed
  std::int64_t tap = 0;
  // The channels are the innermost loop: this order decides which two products are added in one int16.
  for (std::int64_t kd = 0; kd < c.kernel[0]; ++kd) {
    for (std::int64_t kh = 0; kh < c.kernel[1]; ++kh) {
      for (std::int64_t kw = 0; kw < c.kernel[2]; ++kw, ++tap) {
        const std::int64_t d = at.d * c.stride[0] + kd * c.dilation[0] - c.padding[0];
        const std::int64_t h = at.h * c.stride[1] + kh * c.dilation[1] - c.padding[1];
        const std::int64_t w = at.w * c.stride[2] + kw * c.dilation[2] - c.padding[2];
        const bool inside = 0 <= d && d < c.input[0] && 0 <= h && h < c.input[1] && 0 <= w && w < c.input[2];
        const std::int64_t position = (d * c.input[1] + h) * c.input[2] + w;
        for (std::int64_t channel = 0; channel < group_channels; ++channel) {
          const std::int64_t x = inside ? x0[channel * plane + position] : c.activation_zero_point;
          const std::int64_t weight = w0[channel * taps + tap];
          const bool second = sums.taps % 2 == 1;
          if (arithmetic.products == Arithmetic::Products::exact) {
            sums.products += x * weight;
          } else if (second) {
            sums.add_pair(pair + x * weight);
            pair = 0;
          } else {
            pair = x * weight;
          }
          sums.activations += x;
          sums.weights += weight;
          ++sums.taps;
        }
      }
    }
  }
  sums.products += pair;  // the last product of an odd number is paired with 0 and fits int16
  if (arithmetic.activation_sum == Arithmetic::ActivationSum::int16) {
    sums.activations_saturated = sums.activations > 32767;
    sums.activations = std::min<std::int64_t>(sums.activations, 32767);
  }
  return sums;
}

// Rounds to the nearest integer, ties to even. The result is exact: v - floor(v) is a float for every float v.
float ties_to_even(float v) {
  const float below = std::floor(v);
  const float fraction = v - below;
  const bool up = fraction > 0.5F || (fraction == 0.5F && std::fmod(below, 2.0F) != 0.0F);
  return up ? below + 1.0F : below;
}

// Rounds and converts to int32. Values that do not fit, large or small, and NaN become INT32_MIN, which is what
// cvtps2dq returns for all three.
std::int32_t to_int32(float v) {
  const float rounded = ties_to_even(v);
  const bool fits = rounded >= -0x1p31F && rounded < 0x1p31F;
  return fits ? static_cast<std::int32_t>(rounded) : std::numeric_limits<std::int32_t>::min();
}

// Returns float(raw) + bias / A, where A = xs * ws is the value of one unit of raw.
float add_bias(float raw, const ConvCase& c, const Arithmetic& arithmetic, std::int64_t k, float unit) {
  if (c.bias.empty()) return raw;
  const float bias = c.bias[static_cast<std::size_t>(k)];
  if (c.granularity == Granularity::per_channel) return raw + bias / unit;
  const float reciprocal = 1.0F / unit;
  if (arithmetic.tensor_bias == Arithmetic::TensorBias::fused) return std::fma(bias, reciprocal, raw);
  return raw + bias * reciprocal;
}

ElementTrace element(const ConvProblem& problem, const Arithmetic& arithmetic, const Place& at) {
  const ConvCase& c = problem.spec;
  const std::int64_t xz = c.activation_zero_point;
  const std::int64_t wz = weight_zero_point(c, at.k);
  const Sums sums = sum_window(problem, arithmetic, at);
  const std::int64_t exact =
      sums.products - xz * sums.weights - wz * sums.activations + sums.taps * xz * wz + int32_bias(c, at.k);
  const auto raw = static_cast<std::int32_t>(exact);  // modulo 2^32

  const float unit = static_cast<float>(c.activation_scale) * static_cast<float>(weight_scale(c, at.k));
  const float multiplier = unit / static_cast<float>(c.output_scale);
  const float scaled = add_bias(static_cast<float>(raw), c, arithmetic, at.k, unit) * multiplier;

  const auto oz = static_cast<std::int32_t>(c.output_zero_point);
  std::int32_t q = std::clamp(to_int32(scaled), -32768, 32767) + oz;
  q = std::clamp(q, c.relu == Relu::on ? oz : 0, 255);
  return {.accumulator = raw,
          .wrapped = raw != exact,
          .saturated_pairs = sums.saturated_pairs,
          .activation_sum_saturated = sums.activations_saturated,
          .scaled = scaled,
          .result = c.output_type == OutputType::int32 ? raw : q};
}

Place place_of(std::int64_t offset, const ConvCase& c) {
  const Spatial size = output_size(c);
  const std::int64_t w = offset % size[2], rows = offset / size[2];
  const std::int64_t h = rows % size[1], planes = rows / size[1];
  const std::int64_t d = planes % size[0], channels = planes / size[0];
  return {channels / c.out_channels, channels % c.out_channels, d, h, w};
}

}  // namespace

Answers conv_relu(const ConvProblem& problem, const Arithmetic& arithmetic) {
  Answers y{output_shape(problem.spec), {}};
  y.values.resize(static_cast<std::size_t>(element_count(y.shape)));
  std::int64_t offset = 0;
  for (std::int32_t& value : y.values) value = conv_relu_trace(problem, arithmetic, offset++).result;
  return y;
}

ElementTrace conv_relu_trace(const ConvProblem& problem, const Arithmetic& arithmetic, std::int64_t offset) {
  return element(problem, arithmetic, place_of(offset, problem.spec));
}

}  // namespace tieout
