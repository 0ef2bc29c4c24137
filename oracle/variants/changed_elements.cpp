// Computes the operators of elements and the one that joins tensors, with changes.

#include <array>
#include <cstring>
#include <vector>

#include "oracle/variants/fixed_point_variants.h"
#include "oracle/variants/quantization_steps.h"

namespace tieout {
namespace {

template <typename Real>
using Steps = QuantizationSteps<Real>;

// Returns the offset in an input of the element that is broadcast to an index of the output.
std::size_t broadcast_offset(const std::vector<std::int64_t>& index, const Shape& input) {
  std::int64_t offset = 0;
  const std::size_t missing = index.size() - input.size();
  for (std::size_t d = 0; d < input.size(); ++d) offset = offset * input[d] + (input[d] == 1 ? 0 : index[missing + d]);
  return static_cast<std::size_t>(offset);
}

// Computes each element by element(a, b); b is 0 for operators of one input.
template <typename Element>
OperatorOutput each_element(const OperatorCase& c, Element element) {
  OperatorOutput output{.values = {.shape = output_shape(c), .values = {}}};
  const auto byte_of = [&](std::size_t input, std::int64_t i) {
    const OperatorInput& in = c.inputs[input];
    if (in.shape == output.values.shape) return in.contents.values[static_cast<std::size_t>(i)];
    return in.contents.values[broadcast_offset(unravel(i, output.values.shape), in.shape)];
  };
  const std::int64_t count = element_count(output.values.shape);
  for (std::int64_t i = 0; i < count; ++i) {
    output.values.values.push_back(element(byte_of(0, i), c.inputs.size() == 2 ? byte_of(1, i) : std::uint8_t{0}));
  }
  return output;
}

float narrow_scale(const OperatorCase& c, std::size_t input, bool of_first = false) {
  return static_cast<float>(c.inputs[of_first ? 0 : input].quantization.scale);
}

template <typename Real>
OperatorOutput changed_add(const OperatorCase& c, const Steps<Real>& s) {
  const auto integer_sum =
      s.has(Change::xnnpack) ? fixed_point_variants::xnnpack_sum : fixed_point_variants::tflite_sum;
  return each_element(c, [&](std::uint8_t a, std::uint8_t b) {
    if (s.has(Change::tflite) || s.has(Change::xnnpack)) {
      const std::int64_t sum =
          integer_sum(s.difference(0, a), narrow_scale(c, 0), s.difference(1, b),
                      narrow_scale(c, 1, s.has(Change::second_scale_of_first)), static_cast<float>(c.output.scale));
      return s.with_relu_of_byte(s.byte_of_whole(sum));
    }
    return s.byte(s.with_relu(s.input_with_relu(s.dequantized(0, a)) + s.input_with_relu(s.dequantized(1, b))));
  });
}

template <typename Real>
OperatorOutput changed_mul(const OperatorCase& c, const Steps<Real>& s) {
  const bool of_first = s.has(Change::second_scale_of_first);
  const double exact = c.inputs[0].quantization.scale * c.inputs[of_first ? 0 : 1].quantization.scale;
  const Real factor = s.factor(s.scale(0) * s.scale(1), exact);
  const float tflite_factor = narrow_scale(c, 0) * narrow_scale(c, 1, of_first) / static_cast<float>(c.output.scale);
  return each_element(c, [&](std::uint8_t a, std::uint8_t b) {
    const std::int64_t product =
        std::int64_t{s.input_with_relu(s.difference(0, a))} * s.input_with_relu(s.difference(1, b));
    if (s.has(Change::tflite)) {
      return s.with_relu_of_byte(s.byte_of_whole(fixed_point_variants::tflite_scaled(product, tflite_factor)));
    }
    if (s.has(Change::through_reals)) return s.byte(s.with_relu(s.dequantized(0, a) * s.dequantized(1, b)));
    return s.with_relu_of_byte(s.byte_of_units(static_cast<Real>(product) * factor));
  });
}

template <typename Real>
OperatorOutput changed_add_scalar(const OperatorCase& c, const Steps<Real>& s) {
  const Quantization& input = c.inputs.front().quantization;
  const double value = s.has(Change::number_subtracted) ? -number(c, "value") : number(c, "value");
  const double quotient = value / input.scale;
  const auto steps =
      static_cast<std::int64_t>(s.has(Change::number_truncated) ? std::trunc(quotient) : ties_to_even(quotient));
  const bool copies = s.has(Change::always_copied) || input.zero_point - steps == c.output.zero_point;
  const Real factor = s.factor(s.scale(0), input.scale);
  return each_element(c, [&](std::uint8_t q, std::uint8_t) {
    if (s.has(Change::through_reals)) return s.byte(s.with_relu(s.dequantized(0, q) + static_cast<Real>(value)));
    const auto units = static_cast<Real>(s.difference(0, q) + steps);
    return s.with_relu_of_byte(copies ? std::int32_t{q} : s.byte_of_units(units * factor));
  });
}

template <typename Real>
OperatorOutput changed_mul_scalar(const OperatorCase& c, const Steps<Real>& s) {
  const double value = number(c, "value");
  return each_element(c, [&](std::uint8_t q, std::uint8_t) -> std::int32_t {
    const bool at_least_zero = s.has(Change::relu_of_inputs) && flag(c, "relu");
    const auto x = at_least_zero
                       ? std::max<std::int32_t>(q, static_cast<std::int32_t>(c.inputs[0].quantization.zero_point))
                       : std::int32_t{q};
    if (value == 0) return s.has(Change::zero_copied) ? x : 0;
    if (value > 0 || s.has(Change::never_mirrored)) return s.with_relu_of_byte(x);
    return s.with_relu_of_byte(s.has(Change::mirrored_by_256) ? (256 - x) % 256 : 255 - x);
  });
}

template <typename Real>
OperatorOutput changed_hardswish(const OperatorCase& c, const Steps<Real>& s) {
  return each_element(c, [&](std::uint8_t q, std::uint8_t) {
    const Real x = s.dequantized(0, q);
    Real gate = x + 3;
    if (!s.has(Change::lower_bound_missing)) gate = std::max<Real>(gate, 0);
    if (!s.has(Change::upper_bound_missing)) gate = std::min<Real>(gate, 6);
    if (s.has(Change::gate_divided_first)) return s.byte(x * (gate / 6));
    return s.byte(s.has(Change::sixth_by_inverse) ? x * gate * (Real(1) / 6) : x * gate / 6);
  });
}

template <typename Real>
OperatorOutput changed_hardsigmoid(const OperatorCase& c, const Steps<Real>& s) {
  return each_element(c, [&](std::uint8_t q, std::uint8_t) {
    const Real x = s.dequantized(0, q);
    if (s.has(Change::slope_of_a_fifth)) return s.byte(std::clamp<Real>(x * Real(0.2F) + Real(0.5), 0, 1));
    if (s.has(Change::sum_of_half)) return s.byte(std::clamp<Real>(x / 6 + Real(0.5), 0, 1));
    const Real gate = std::clamp<Real>(x + 3, 0, 6);
    return s.byte(s.has(Change::sixth_by_inverse) ? gate * (Real(1) / 6) : gate / 6);
  });
}

template <typename Real>
OperatorOutput changed_sigmoid(const OperatorCase& c, const Steps<Real>& s) {
  return each_element(c, [&](std::uint8_t q, std::uint8_t) {
    const Real x = s.dequantized(0, q);
    if (s.has(Change::by_tanh)) return s.byte(Real(0.5) * std::tanh(Real(0.5) * x) + Real(0.5));
    if (s.has(Change::exponential_in_float32)) return s.byte(1 / (1 + std::exp(-x)));
    return s.byte(static_cast<Real>(1 / (1 + std::exp(-double{x}))));
  });
}

template <typename Real>
OperatorOutput changed_leaky_relu(const OperatorCase& c, const Steps<Real>& s) {
  const auto given = static_cast<float>(number(c, "slope"));
  const Real slope = s.has(Change::slope_missing) ? Real(0) : Real(given);
  return each_element(c, [&](std::uint8_t q, std::uint8_t) {
    if (s.has(Change::tflite)) {
      const std::int32_t d = s.difference(0, q);
      const auto scale = static_cast<float>(c.output.scale);
      const float factor = d >= 0 ? narrow_scale(c, 0) / scale : narrow_scale(c, 0) * given / scale;
      return s.byte_of_whole(fixed_point_variants::tflite_scaled(d, factor));
    }
    const Real x = s.dequantized(0, q);
    if (s.has(Change::larger_one)) return s.byte(std::max(x, slope * x));
    return s.byte(x > 0 && !s.has(Change::slope_everywhere) ? x : x * slope);
  });
}

template <typename Real>
OperatorOutput changed_relu(const OperatorCase& c, const Steps<Real>& s) {
  const auto zero = static_cast<std::int32_t>(s.has(Change::zero_point_128) ? 128 : c.output.zero_point);
  return each_element(c, [&](std::uint8_t q, std::uint8_t) -> std::int32_t {
    const std::int32_t x = s.stored(q);
    if (s.has(Change::relu_missing)) return q;
    if (s.has(Change::smaller_one)) return std::min(x, zero);
    if (s.has(Change::negative_to_byte_0)) return x < zero ? 0 : x;
    return static_cast<std::uint8_t>(std::max(x, zero));
  });
}

template <typename Real>
OperatorOutput changed_clamp(const OperatorCase& c, const Steps<Real>& s) {
  const auto bound = [&](const char* name) {
    const auto real = static_cast<float>(number(c, name));
    if (s.has(Change::bounds_not_quantized)) return static_cast<std::int32_t>(std::clamp(real, 0.0F, 255.0F));
    return s.byte(static_cast<Real>(real));
  };
  const std::int32_t low = s.has(Change::lower_bound_missing) ? -128 : bound("min");
  const std::int32_t high = s.has(Change::upper_bound_missing) ? 255 : bound("max");
  return each_element(c, [&](std::uint8_t q, std::uint8_t) -> std::int32_t {
    return static_cast<std::uint8_t>(std::min(std::max(s.stored(q), low), high));
  });
}

template <typename Real>
Real normalized(const OperatorCase& c, const Steps<Real>& s, Real x, std::size_t channel) {
  const auto of_channel = [&](const char* name) { return static_cast<Real>(attribute(c, name)[channel]); };
  const Real eps = s.has(Change::eps_missing) ? Real(0) : static_cast<Real>(number(c, "eps"));
  const Real deviation =
      s.has(Change::eps_after_root) ? std::sqrt(of_channel("var")) + eps : std::sqrt(of_channel("var") + eps);
  const Real mean = s.has(Change::mean_missing) ? Real(0) : of_channel("mean");
  if (s.has(Change::folded)) {
    const Real factor = of_channel("weight") * (1 / deviation);
    return x * factor + (of_channel("bias") - mean * factor);
  }
  const Real unit = s.has(Change::divides_by_deviation) ? (x - mean) / deviation : (x - mean) * (1 / deviation);
  return unit * of_channel("weight") + of_channel("bias");
}

template <typename Real>
OperatorOutput changed_batch_norm(const OperatorCase& c, const Steps<Real>& s) {
  const OperatorInput& input = c.inputs.front();
  OperatorOutput output{.values = {.shape = input.shape, .values = {}}};
  for (std::int64_t i = 0; i < element_count(input.shape); ++i) {
    const auto channel = static_cast<std::size_t>(s.has(Change::first_channel) ? 0 : unravel(i, input.shape)[1]);
    const Real x = s.input_with_relu(s.dequantized(0, input.contents.values[static_cast<std::size_t>(i)]));
    output.values.values.push_back(s.byte(s.with_relu(normalized(c, s, x, channel))));
  }
  return output;
}

template <typename Real>
OperatorOutput changed_quantize(const OperatorCase& c, const Steps<Real>& s) {
  OperatorOutput output{.values = {.shape = output_shape(c), .values = {}}};
  for (const float x : c.inputs.front().floats) output.values.values.push_back(s.byte(static_cast<Real>(x)));
  return output;
}

template <typename Real>
OperatorOutput changed_dequantize(const OperatorCase& c, const Steps<Real>& s) {
  OperatorOutput output = each_element(c, [&](std::uint8_t q, std::uint8_t) {
    const auto real = static_cast<float>(s.dequantized(0, q));
    std::int32_t bits = 0;
    std::memcpy(&bits, &real, sizeof bits);
    return bits;
  });
  output.is_float = true;
  return output;
}

template <typename Real>
std::int32_t joined_byte(const OperatorCase& c, const Steps<Real>& s, std::size_t input, std::uint8_t q) {
  if (s.has(Change::always_copied)) return q;
  if (s.has(Change::tflite_cat)) {
    const float scale = narrow_scale(c, input) * (1.0F / static_cast<float>(c.output.scale));
    const float bias = static_cast<float>(-s.zero_point(input)) * scale;
    const std::int64_t units = std::llround(static_cast<float>(q) * scale + bias);
    return s.with_relu_of_byte(s.byte_of_whole(units));
  }
  return s.byte(s.with_relu(s.dequantized(input, q)));
}

template <typename Real>
OperatorOutput changed_cat(const OperatorCase& c, const Steps<Real>& s) {
  OperatorOutput output{.values = {.shape = output_shape(c), .values = {}}};
  const std::int64_t given = integer(c, "dim");
  const auto dim = static_cast<std::size_t>(given < 0 ? given + std::ssize(output.values.shape) : given);
  std::vector<std::size_t> order(c.inputs.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = s.has(Change::inputs_reversed) ? order.size() - 1 - i : i;
  if (s.has(Change::joined_in_memory)) {
    for (const std::size_t input : order) {
      for (const std::uint8_t q : c.inputs[input].contents.values) {
        output.values.values.push_back(joined_byte(c, s, input, q));
      }
    }
    return output;
  }
  for (std::int64_t i = 0; i < element_count(output.values.shape); ++i) {
    std::vector<std::int64_t> index = unravel(i, output.values.shape);
    auto input = order.begin();
    for (; index[dim] >= c.inputs[*input].shape[dim]; ++input) index[dim] -= c.inputs[*input].shape[dim];
    const std::uint8_t q = c.inputs[*input].contents.values[broadcast_offset(index, c.inputs[*input].shape)];
    const bool late = s.has(Change::parameters_one_late) && index[dim] == 0 && *input > 0;
    output.values.values.push_back(joined_byte(c, s, late ? *input - 1 : *input, q));
  }
  return output;
}

template <typename Real>
struct ChangedOperator {
  std::string_view name;
  OperatorOutput (*compute)(const OperatorCase& c, const Steps<Real>& s);
};

}  // namespace

template <typename Real>
OperatorOutput compute_elements(const OperatorCase& c, const QuantizationSteps<Real>& steps) {
  static constexpr std::array<ChangedOperator<Real>, 14> kOperators{{{"add", changed_add},
                                                                     {"mul", changed_mul},
                                                                     {"add_scalar", changed_add_scalar},
                                                                     {"mul_scalar", changed_mul_scalar},
                                                                     {"hardswish", changed_hardswish},
                                                                     {"hardsigmoid", changed_hardsigmoid},
                                                                     {"sigmoid", changed_sigmoid},
                                                                     {"leaky_relu", changed_leaky_relu},
                                                                     {"relu", changed_relu},
                                                                     {"clamp", changed_clamp},
                                                                     {"batch_norm", changed_batch_norm},
                                                                     {"quantize", changed_quantize},
                                                                     {"dequantize", changed_dequantize},
                                                                     {"cat", changed_cat}}};
  for (const ChangedOperator<Real>& one : kOperators) {
    if (one.name == c.schema->name) return one.compute(c, steps);
  }
  return {};
}

template OperatorOutput compute_elements(const OperatorCase& c, const QuantizationSteps<float>& steps);
template OperatorOutput compute_elements(const OperatorCase& c, const QuantizationSteps<double>& steps);

}  // namespace tieout
