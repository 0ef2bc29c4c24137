#include "kernels/operators/elementwise_kernels.h"

#include <array>
#include <cstring>
#include <numeric>
#include <vector>

#include "kernels/operators/quantized_arithmetic.h"

namespace tieout {
namespace {

using operator_kernels::byte_of;
using operator_kernels::byte_of_scaled;
using operator_kernels::real;

// Returns for each output element the index of the element of `input` from which it is computed.
std::vector<std::size_t> sources(const Shape& output, const Shape& input) {
  std::vector<std::size_t> indices(static_cast<std::size_t>(element_count(output)));
  if (input == output) {
    std::iota(indices.begin(), indices.end(), std::size_t{0});
    return indices;
  }
  for (std::size_t i = 0; i < indices.size(); ++i) {
    std::int64_t rest = static_cast<std::int64_t>(i), step = 1, index = 0;
    for (std::size_t d = output.size(), in = input.size(); d-- > 0;) {
      const std::int64_t at = rest % output[d];
      rest /= output[d];
      if (in == 0) continue;
      --in;
      if (input[in] != 1) index += at * step;
      step *= input[in];
    }
    indices[i] = static_cast<std::size_t>(index);
  }
  return indices;
}

// Computes every element by `element`, which gets the bytes of all inputs.
template <typename Element>
OperatorOutput for_each_pair(const OperatorCase& c, Element element) {
  OperatorOutput output;
  output.values.shape = output_shape(c);
  const OperatorInput &a = c.inputs[0], &b = c.inputs[1];
  const auto from_a = sources(output.values.shape, a.shape), from_b = sources(output.values.shape, b.shape);
  output.values.values.reserve(from_a.size());
  for (std::size_t i = 0; i < from_a.size(); ++i) {
    output.values.values.push_back(element(a.contents.values[from_a[i]], b.contents.values[from_b[i]]));
  }
  return output;
}

template <typename Element>
OperatorOutput for_each(const OperatorCase& c, Element element) {
  OperatorOutput output;
  output.values.shape = output_shape(c);
  output.values.values.reserve(c.inputs.front().contents.values.size());
  for (const std::uint8_t x : c.inputs.front().contents.values) output.values.values.push_back(element(x));
  return output;
}

std::int32_t with_relu(std::int32_t byte, const OperatorCase& c) {
  return flag(c, "relu") ? std::max(byte, static_cast<std::int32_t>(c.output.zero_point)) : byte;
}

// real(a) + real(b), rounded to float32.
OperatorOutput add(const OperatorCase& c) {
  return for_each_pair(c, [&](std::uint8_t a, std::uint8_t b) {
    float sum = real(a, c.inputs[0].quantization) + real(b, c.inputs[1].quantization);
    if (flag(c, "relu")) sum = std::max(sum, 0.0F);
    return byte_of(sum, c.output);
  });
}

// (a - za) * (b - zb) as an integer, times fl(fl(sa * sb) * fl(1 / so)).
OperatorOutput mul(const OperatorCase& c) {
  const Quantization &qa = c.inputs[0].quantization, &qb = c.inputs[1].quantization;
  const float inverse = 1.0F / static_cast<float>(c.output.scale);
  const float multiplier = static_cast<float>(qa.scale) * static_cast<float>(qb.scale) * inverse;
  return for_each_pair(c, [&](std::uint8_t a, std::uint8_t b) {
    const std::int64_t product = (a - qa.zero_point) * (b - qb.zero_point);
    return with_relu(byte_of_scaled(static_cast<float>(product) * multiplier, c.output.zero_point), c);
  });
}

// The number is rounded to whole steps of the input, which move the zero point. Where the zero point would leave
// 0..255, (q - z + steps) is scaled to the output's units.
OperatorOutput add_scalar(const OperatorCase& c) {
  const Quantization& input = c.inputs.front().quantization;
  const auto steps = static_cast<std::int64_t>(std::nearbyint(number(c, "value") / input.scale));
  const bool moved = input.zero_point - steps == c.output.zero_point;
  const float multiplier = static_cast<float>(input.scale) * (1.0F / static_cast<float>(c.output.scale));
  return for_each(c, [&](std::uint8_t q) {
    const auto units = static_cast<float>(q - input.zero_point + steps);
    return with_relu(moved ? q : byte_of_scaled(units * multiplier, c.output.zero_point), c);
  });
}

// The scale is multiplied, and bytes are kept; a negative number mirrors them. 0 gives bytes 0.
OperatorOutput mul_scalar(const OperatorCase& c) {
  const double value = number(c, "value");
  return for_each(c, [&](std::uint8_t q) {
    if (value == 0) return 0;
    return with_relu(value > 0 ? q : 255 - q, c);
  });
}

OperatorOutput hardswish(const OperatorCase& c) {
  return for_each(c, [&](std::uint8_t q) {
    const float x = real(q, c.inputs.front().quantization);
    return byte_of(x * std::clamp(x + 3.0F, 0.0F, 6.0F) / 6.0F, c.output);
  });
}

OperatorOutput hardsigmoid(const OperatorCase& c) {
  return for_each(c, [&](std::uint8_t q) {
    const float x = real(q, c.inputs.front().quantization);
    return byte_of(std::clamp(x + 3.0F, 0.0F, 6.0F) / 6.0F, c.output);
  });
}

// The exponential is that of double precision, so that the result is the float32 nearest to the exact value.
OperatorOutput sigmoid(const OperatorCase& c) {
  return for_each(c, [&](std::uint8_t q) {
    const double x = real(q, c.inputs.front().quantization);
    return byte_of(static_cast<float>(1.0 / (1.0 + std::exp(-x))), c.output);
  });
}

OperatorOutput leaky_relu(const OperatorCase& c) {
  const auto slope = static_cast<float>(number(c, "slope"));
  return for_each(c, [&](std::uint8_t q) {
    const float x = real(q, c.inputs.front().quantization);
    return byte_of(x > 0 ? x : x * slope, c.output);
  });
}

// The larger one of the byte and the zero point; nothing is rounded.
OperatorOutput relu(const OperatorCase& c) {
  return for_each(
      c, [&](std::uint8_t q) { return std::max<std::int32_t>(q, static_cast<std::int32_t>(c.output.zero_point)); });
}

// The bounds are quantized, and the bytes clamped between them.
OperatorOutput clamp(const OperatorCase& c) {
  const std::int32_t low = byte_of(static_cast<float>(number(c, "min")), c.output);
  const std::int32_t high = byte_of(static_cast<float>(number(c, "max")), c.output);
  return for_each(c, [&](std::uint8_t q) { return std::min(std::max<std::int32_t>(q, low), high); });
}

// Every step is rounded to float32.
OperatorOutput batch_norm(const OperatorCase& c) {
  const OperatorInput& input = c.inputs.front();
  const Shape& shape = input.shape;
  const std::int64_t inner = element_count({shape.begin() + 2, shape.end()});
  const auto eps = static_cast<float>(number(c, "eps"));
  OperatorOutput output;
  output.values.shape = shape;
  for (std::size_t i = 0; i < input.contents.values.size(); ++i) {
    const auto channel = static_cast<std::size_t>(static_cast<std::int64_t>(i) / inner % shape[1]);
    const auto of_channel = [&](const char* name) { return static_cast<float>(attribute(c, name)[channel]); };
    const float deviation = std::sqrt(of_channel("var") + eps);
    const float centered = real(input.contents.values[i], input.quantization) - of_channel("mean");
    float y = centered * (1.0F / deviation) * of_channel("weight") + of_channel("bias");
    if (flag(c, "relu")) y = std::max(y, 0.0F);
    output.values.values.push_back(byte_of(y, c.output));
  }
  return output;
}

OperatorOutput quantize(const OperatorCase& c) {
  OperatorOutput output;
  output.values.shape = output_shape(c);
  for (const float x : c.inputs.front().floats) output.values.values.push_back(byte_of(x, c.output));
  return output;
}

// The bits of real(q).
OperatorOutput dequantize(const OperatorCase& c) {
  OperatorOutput output = for_each(c, [&](std::uint8_t q) {
    const float x = real(q, c.inputs.front().quantization);
    std::int32_t bits = 0;
    std::memcpy(&bits, &x, sizeof bits);
    return bits;
  });
  output.is_float = true;
  return output;
}

constexpr std::array kElementwiseKernels{OperatorKernel{"add", add},
                                         OperatorKernel{"mul", mul},
                                         OperatorKernel{"add_scalar", add_scalar},
                                         OperatorKernel{"mul_scalar", mul_scalar},
                                         OperatorKernel{"hardswish", hardswish},
                                         OperatorKernel{"hardsigmoid", hardsigmoid},
                                         OperatorKernel{"sigmoid", sigmoid},
                                         OperatorKernel{"leaky_relu", leaky_relu},
                                         OperatorKernel{"relu", relu},
                                         OperatorKernel{"clamp", clamp},
                                         OperatorKernel{"batch_norm", batch_norm},
                                         OperatorKernel{"quantize", quantize},
                                         OperatorKernel{"dequantize", dequantize}};

}  // namespace

std::span<const OperatorKernel> elementwise_kernels() { return kElementwiseKernels; }

}  // namespace tieout
