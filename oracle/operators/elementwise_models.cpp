#include "oracle/operators/elementwise_models.h"

#include <array>
#include <cmath>
#include <cstring>
#include <optional>
#include <vector>

#include "oracle/operators/element_record.h"
#include "oracle/operators/libtorch_arithmetic.h"
#include "oracle/operators/sleef_exp.h"
#include "oracle/operators/tensor_iteration.h"

namespace tieout {
namespace {

namespace lt = libtorch_arithmetic;

// Selects the code that computes an element.
enum class Code { vector, scalar };

float dequantize_by(Code code, std::uint8_t q, const Quantization& of) {
  return code == Code::vector ? lt::vector_dequantize(q, of) : lt::scalar_dequantize(q, of);
}

std::int32_t quantize_by(Code code, float real, float inverse, const Quantization& of) {
  return code == Code::vector ? lt::vector_quantize(real, inverse, of) : lt::scalar_quantize(real, of);
}

// Rounds a value in the output's units.
std::int32_t round_by(Code code, float units, const Quantization& of) {
  return code == Code::vector ? lt::vector_round(units, of) : lt::scalar_round(units, of);
}

std::int32_t requantize_by(Code code, std::int32_t value, float multiplier, const Quantization& of) {
  return code == Code::vector ? lt::vector_requantize(value, multiplier, of)
                              : lt::scalar_requantize(value, multiplier, of);
}

// Returns for each element of the output the offset of the element of an input that is broadcast to it.
std::vector<std::int64_t> offsets_in(const Shape& input, const Shape& output) {
  const Shape steps = broadcast_strides(input, dense_strides(input, MemoryFormat::contiguous), output);
  const std::int64_t count = element_count(output);
  std::vector<std::int64_t> offsets;
  offsets.reserve(static_cast<std::size_t>(count));
  Shape index(output.size());
  std::int64_t offset = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    offsets.push_back(offset);
    for (std::size_t d = output.size(); d-- > 0;) {
      offset += steps[d];
      if (++index[d] < output[d]) break;
      offset -= index[d] * steps[d];
      index[d] = 0;
    }
  }
  return offsets;
}

// Computes each element by element(code, a, b); b is 0 for operators of one input. There are few different pairs of
// bytes, so that each is computed once for each code.
template <typename Element>
OperatorOutput for_each(const OperatorCase& c, Element element) {
  OperatorOutput output;
  output.values.shape = output_shape(c);
  const std::vector<bool> by_vectors = computed_by_vectors(operands_of(c), c.threads);
  const bool two = c.inputs.size() == 2;
  const auto from_a = offsets_in(c.inputs[0].shape, output.values.shape);
  const auto from_b = two ? offsets_in(c.inputs[1].shape, output.values.shape) : std::vector<std::int64_t>{};
  std::vector<std::optional<std::int32_t>> known(std::size_t{2} << 16U);
  output.values.values.reserve(from_a.size());
  for (std::size_t i = 0; i < from_a.size(); ++i) {
    const std::uint8_t a = c.inputs[0].contents.values[static_cast<std::size_t>(from_a[i])];
    const std::uint8_t b = two ? c.inputs[1].contents.values[static_cast<std::size_t>(from_b[i])] : std::uint8_t{0};
    const bool by_vector = begin_element(static_cast<std::int64_t>(i), by_vectors[i]);
    if (is_recorded()) {
      record_place(place_text(operands_of(c), c.threads, static_cast<std::int64_t>(i)));
      record_step("x", a, "stored value of the first input");
      if (two) record_step("x2", b, "stored value of the second input");
    }
    std::optional<std::int32_t>& value = known[(by_vector ? 65536U : 0U) + a * 256U + b];
    if (!value || is_recorded()) value = element(by_vector ? Code::vector : Code::scalar, a, b);
    output.values.values.push_back(*value);
  }
  return output;
}

OperatorOutput add(const OperatorCase& c, const Hardware&) {
  const Quantization &qa = c.inputs[0].quantization, &qb = c.inputs[1].quantization;
  return for_each(c, [&](Code code, std::uint8_t a, std::uint8_t b) {
    float sum = dequantize_by(code, a, qa) + dequantize_by(code, b, qb);
    if (flag(c, "relu") && sum < 0) sum = 0;
    return quantize_by(code, sum, lt::inverse_in_float(c.output), c.output);
  });
}

OperatorOutput mul(const OperatorCase& c, const Hardware&) {
  const Quantization &qa = c.inputs[0].quantization, &qb = c.inputs[1].quantization;
  const float multiplier = lt::scale_of(qa) * lt::scale_of(qb) * lt::inverse_in_float(c.output);
  const auto za = static_cast<std::int32_t>(qa.zero_point), zb = static_cast<std::int32_t>(qb.zero_point);
  return for_each(c, [&](Code code, std::uint8_t a, std::uint8_t b) {
    const std::int32_t y = requantize_by(code, (a - za) * (b - zb), multiplier, c.output);
    return flag(c, "relu") ? std::max(y, static_cast<std::int32_t>(c.output.zero_point)) : y;
  });
}

float hard_gate(float x) { return std::min(std::max(x + 3.0F, 0.0F), 6.0F); }

// Where the zero point stays in 0..255, the bytes are copied.
OperatorOutput add_scalar(const OperatorCase& c, const Hardware&) {
  const Quantization& qa = c.inputs.front().quantization;
  const auto za = static_cast<std::int32_t>(qa.zero_point), zero = static_cast<std::int32_t>(c.output.zero_point);
  const auto steps = static_cast<std::int32_t>(ties_to_even(number(c, "value") / qa.scale));
  const float multiplier = lt::scale_of(qa) * lt::inverse_in_float(c.output);
  return for_each(c, [&](Code code, std::uint8_t a, std::uint8_t) {
    const bool copies = za - steps >= 0 && za - steps <= 255;
    const std::int32_t y = copies ? a : requantize_by(code, a - za + steps, multiplier, c.output);
    return flag(c, "relu") ? std::max(y, zero) : y;
  });
}

OperatorOutput mul_scalar(const OperatorCase& c, const Hardware&) {
  const double value = number(c, "value");
  return for_each(c, [&](Code, std::uint8_t a, std::uint8_t) {
    if (value == 0) return 0;
    const std::int32_t y = value > 0 ? a : 255 - a;
    return flag(c, "relu") ? std::max(y, static_cast<std::int32_t>(c.output.zero_point)) : y;
  });
}

OperatorOutput hardswish(const OperatorCase& c, const Hardware&) {
  return for_each(c, [&](Code code, std::uint8_t a, std::uint8_t) {
    const float x = dequantize_by(code, a, c.inputs.front().quantization);
    return quantize_by(code, x * hard_gate(x) / 6.0F, lt::inverse_in_double(c.output), c.output);
  });
}

OperatorOutput hardsigmoid(const OperatorCase& c, const Hardware&) {
  return for_each(c, [&](Code code, std::uint8_t a, std::uint8_t) {
    const float x = dequantize_by(code, a, c.inputs.front().quantization);
    return quantize_by(code, hard_gate(x) / 6.0F, lt::inverse_in_double(c.output), c.output);
  });
}

OperatorOutput leaky_relu(const OperatorCase& c, const Hardware&) {
  const auto slope = static_cast<float>(number(c, "slope"));
  return for_each(c, [&](Code code, std::uint8_t a, std::uint8_t) {
    const float x = dequantize_by(code, a, c.inputs.front().quantization);
    return quantize_by(code, x > 0 ? x : x * slope, lt::inverse_in_float(c.output), c.output);
  });
}

OperatorOutput relu(const OperatorCase& c, const Hardware&) {
  return for_each(c, [&](Code, std::uint8_t a, std::uint8_t) {
    return std::max(std::int32_t{a}, static_cast<std::int32_t>(c.output.zero_point));
  });
}

OperatorOutput clamp(const OperatorCase& c, const Hardware&) {
  const std::int32_t low = lt::scalar_quantize(static_cast<float>(number(c, "min")), c.output);
  const std::int32_t high = lt::scalar_quantize(static_cast<float>(number(c, "max")), c.output);
  return for_each(c,
                  [&](Code, std::uint8_t a, std::uint8_t) { return std::min(std::max(std::int32_t{a}, low), high); });
}

// Vector code computes the exponential as Sleef does, scalar code calls the C library's, adds in float64, and rounds
// the quotient.
OperatorOutput sigmoid(const OperatorCase& c, const Hardware&) {
  return for_each(c, [&](Code code, std::uint8_t a, std::uint8_t) {
    const float x = lt::scalar_dequantize(a, c.inputs.front().quantization);
    if (code == Code::vector) {
      return lt::vector_quantize(1.0F / (1.0F + sleef_exp(-x)), lt::inverse_in_double(c.output), c.output);
    }
    return lt::scalar_quantize(static_cast<float>(1.0 / (1.0 + double{std::exp(-x)})), c.output);
  });
}

// The factors of an affine function of the bytes: fma(alpha, q - zero_point, beta) is in the output's units.
struct Affine {
  float alpha = 0, beta = 0;
};

Affine batch_norm_factors(const OperatorCase& c, std::size_t channel) {
  const auto of_channel = [&](const char* name) { return static_cast<float>(attribute(c, name)[channel]); };
  const float deviation = std::sqrt(of_channel("var") + static_cast<float>(number(c, "eps")));
  const auto inverse = static_cast<float>(1.0 / double{deviation});
  const float weight = inverse * of_channel("weight");
  const float shift = of_channel("mean") * inverse * of_channel("weight");
  return {static_cast<float>(double{weight} * (c.inputs.front().quantization.scale / c.output.scale)),
          static_cast<float>(double{of_channel("bias") - shift} / c.output.scale)};
}

// The channels are innermost in memory, whatever the layout of the input. Vector code computes 8 at a time.
OperatorOutput batch_norm(const OperatorCase& c, const Hardware&) {
  const OperatorInput& input = c.inputs.front();
  const std::int64_t channels = input.shape[1], inner = element_count({input.shape.begin() + 2, input.shape.end()});
  std::vector<Affine> factors;
  for (std::size_t k = 0; k < static_cast<std::size_t>(channels); ++k) factors.push_back(batch_norm_factors(c, k));
  OperatorOutput output;
  output.values.shape = input.shape;
  for (std::size_t i = 0; i < input.contents.values.size(); ++i) {
    const std::int64_t channel = static_cast<std::int64_t>(i) / inner % channels;
    const Affine& affine = factors[static_cast<std::size_t>(channel)];
    const auto units = static_cast<float>(input.contents.values[i] - input.quantization.zero_point);
    const Code code = channel < channels / 8 * 8 ? Code::vector : Code::scalar;
    const std::int32_t y = round_by(code, std::fma(affine.alpha, units, affine.beta), c.output);
    output.values.values.push_back(flag(c, "relu") ? std::max(y, static_cast<std::int32_t>(c.output.zero_point)) : y);
  }
  return output;
}

// All elements are computed by FBGEMM's vector code.
OperatorOutput quantize(const OperatorCase& c, const Hardware&) {
  OperatorOutput output;
  output.values.shape = output_shape(c);
  for (const float x : c.inputs.front().floats) {
    output.values.values.push_back(lt::vector_quantize(x, lt::inverse_in_float(c.output), c.output));
  }
  return output;
}

// The bits of the float32 numbers. No vector code multiplies with the zero point first.
OperatorOutput dequantize(const OperatorCase& c, const Hardware&) {
  OperatorOutput output = for_each(c, [&](Code, std::uint8_t a, std::uint8_t) {
    const float x = lt::scalar_dequantize(a, c.inputs.front().quantization);
    std::int32_t bits = 0;
    std::memcpy(&bits, &x, sizeof bits);
    return bits;
  });
  output.is_float = true;
  return output;
}

constexpr std::array kElementwiseModels{OperatorModel{"add", add},
                                        OperatorModel{"mul", mul},
                                        OperatorModel{"add_scalar", add_scalar},
                                        OperatorModel{"mul_scalar", mul_scalar},
                                        OperatorModel{"hardswish", hardswish},
                                        OperatorModel{"hardsigmoid", hardsigmoid},
                                        OperatorModel{"leaky_relu", leaky_relu},
                                        OperatorModel{"relu", relu},
                                        OperatorModel{"clamp", clamp},
                                        OperatorModel{"sigmoid", sigmoid},
                                        OperatorModel{"batch_norm", batch_norm},
                                        OperatorModel{"quantize", quantize},
                                        OperatorModel{"dequantize", dequantize}};

}  // namespace

std::span<const OperatorModel> elementwise_models() { return kElementwiseModels; }

}  // namespace tieout
