// The operators that compute each output element from one element of each input.

#include <algorithm>
#include <cmath>
#include <limits>

#include "cases/operators/schema_list.h"

namespace tieout {
namespace {

constexpr double kLargest = std::numeric_limits<float>::max();
// The largest number of steps of the input by which add_scalar moves it. LibTorch refuses more than int32 holds.
constexpr double kMostSteps = 1 << 30;

const AttributeSchema kRelu{
    .name = "relu", .kind = AttributeSchema::Kind::flag, .low = 0, .high = 1, .help = "present: y = max(y, oz)"};

Shape shape_of_first(const OperatorCase& c) { return c.inputs.front().shape; }

// Returns the shape to which the inputs are broadcast, as numpy does it; empty if they cannot be.
Shape broadcast_shape(const OperatorCase& c) {
  Shape shape;
  for (const OperatorInput& input : c.inputs) {
    const Shape& other = input.shape;
    if (other.size() > shape.size()) shape.insert(shape.begin(), other.size() - shape.size(), 1);
    for (std::size_t d = 0; d < other.size(); ++d) {
      std::int64_t& extent = shape[shape.size() - other.size() + d];
      if (other[d] == extent || other[d] == 1) continue;
      if (extent != 1) return {};
      extent = other[d];
    }
  }
  return shape;
}

tl::expected<void, CaseError> check_nothing(const OperatorCase&) { return {}; }

tl::expected<void, CaseError> check_broadcast(const OperatorCase& c) {
  const bool scalar = std::ranges::all_of(c.inputs, [](const OperatorInput& input) { return input.shape.empty(); });
  if (scalar || !broadcast_shape(c).empty()) return {};
  return tl::unexpected(CaseError{"shape2", "cannot be broadcast with shape: extents must be equal or 1"});
}

tl::expected<void, CaseError> check_clamp(const OperatorCase& c) {
  if (number(c, "min") <= number(c, "max")) return {};
  return tl::unexpected(CaseError{"min", "must be at most max"});
}

// Returns the number of the input's steps in the scalar of add_scalar.
double steps_of_value(const OperatorCase& c) {
  return std::nearbyint(number(c, "value") / c.inputs.front().quantization.scale);
}

tl::expected<void, CaseError> check_add_scalar(const OperatorCase& c) {
  if (std::fabs(steps_of_value(c)) <= kMostSteps) return {};
  return tl::unexpected(CaseError{"value", "must be at most 2^30 times the scale of the input"});
}

// The zero point moves by the number of steps. If it would leave 0..255, it stays at the nearer end, and the scale
// grows so that all values of the input fit in.
Quantization added_scalar(const OperatorCase& c) {
  const Quantization& input = c.inputs.front().quantization;
  const double moved = static_cast<double>(input.zero_point) - steps_of_value(c);
  if (moved < 0) return {.scale = (255.0 - moved) / 255.0 * input.scale, .zero_point = 0};
  if (moved > 255) return {.scale = moved / 255.0 * input.scale, .zero_point = 255};
  return {.scale = input.scale, .zero_point = static_cast<std::int64_t>(moved)};
}

// The scale is multiplied. A negative number mirrors the bytes and the zero point.
Quantization multiplied_by_scalar(const OperatorCase& c) {
  const Quantization& input = c.inputs.front().quantization;
  const double value = number(c, "value");
  if (value == 0) return {.scale = 1, .zero_point = 0};
  return {.scale = std::fabs(value) * input.scale, .zero_point = value > 0 ? input.zero_point : 255 - input.zero_point};
}

tl::expected<void, CaseError> check_batch_norm(const OperatorCase& c) {
  const Shape& shape = c.inputs.front().shape;
  if (shape.size() < 2) return tl::unexpected(CaseError{"shape", "must have 2 to 5 dimensions, such as NxCxHxW"});
  for (const char* name : {"weight", "bias", "mean", "var"}) {
    if (static_cast<std::int64_t>(attribute(c, name).size()) != shape[1]) {
      return tl::unexpected(
          CaseError{name, "must list one number for each of the " + std::to_string(shape[1]) + " channels"});
    }
  }
  const auto eps = static_cast<float>(number(c, "eps"));
  for (const double variance : attribute(c, "var")) {
    const float sum = static_cast<float>(variance) + eps;
    if (!(sum > 0) || !std::isfinite(sum)) {
      return tl::unexpected(CaseError{"var", "plus eps must be positive and finite in float32"});
    }
  }
  return {};
}

OperatorSchema of_one_input(std::string_view name, std::string_view help, OutputParameters output) {
  return {
      .name = name, .help = help, .output_parameters = output, .output_shape = shape_of_first, .check = check_nothing};
}

OperatorSchema of_two_inputs(std::string_view name, std::string_view help) {
  return {.name = name,
          .help = help,
          .least_inputs = 2,
          .most_inputs = 2,
          .attributes = {kRelu},
          .output_shape = broadcast_shape,
          .check = check_broadcast};
}

AttributeSchema any_number(std::string_view name, double default_value, std::string_view help) {
  return {.name = name,
          .kind = AttributeSchema::Kind::number,
          .default_value = default_value,
          .low = -kLargest,
          .high = kLargest,
          .help = help};
}

OperatorSchema with_attributes(OperatorSchema schema, std::vector<AttributeSchema> attributes) {
  schema.attributes = std::move(attributes);
  return schema;
}

std::vector<OperatorSchema> make_elementwise_schemas() {
  constexpr auto kStated = OutputParameters::own;
  constexpr auto kFirst = OutputParameters::first_input;
  constexpr auto kComputed = OutputParameters::computed;
  std::vector<OperatorSchema> list;
  list.push_back(of_two_inputs("add", "Sum of two tensors (quantized::add, add_relu)"));
  list.push_back(of_two_inputs("mul", "Product of two tensors (quantized::mul, mul_relu)"));
  AttributeSchema scalar = any_number("value", 0, "the number");
  scalar.kind = AttributeSchema::Kind::real;
  list.push_back(with_attributes(of_one_input("add_scalar",
                                              "Sum of a tensor and a number (quantized::add_scalar, add_scalar_relu); "
                                              "it determines the output's scale and zero point",
                                              kComputed),
                                 {scalar, kRelu}));
  list.back().computed_output = added_scalar;
  list.back().check = check_add_scalar;
  scalar.default_value = 1;
  list.push_back(
      with_attributes(of_one_input("mul_scalar",
                                   "Product of a tensor and a number (quantized::mul_scalar, mul_scalar_relu); it "
                                   "determines the output's scale and zero point",
                                   kComputed),
                      {scalar, kRelu}));
  list.back().computed_output = multiplied_by_scalar;
  list.push_back(of_one_input("hardswish", "x * min(max(x + 3, 0), 6) / 6 (quantized::hardswish)", kStated));
  OperatorSchema hardsigmoid =
      of_one_input("hardsigmoid", "min(max(x + 3, 0), 6) / 6 (aten::hardsigmoid)", OutputParameters::fixed);
  hardsigmoid.fixed_output = {.scale = 1.0 / 256, .zero_point = 0};
  list.push_back(hardsigmoid);
  list.push_back(of_one_input("sigmoid", "1 / (1 + exp(-x)) (quantized::sigmoid, aten::sigmoid)", kStated));
  list.push_back(with_attributes(of_one_input("leaky_relu", "x > 0 ? x : slope * x (quantized::leaky_relu)", kStated),
                                 {any_number("slope", 0.01, "factor of negative values")}));
  list.push_back(of_one_input("relu", "max(x, 0) (aten::relu)", kFirst));
  list.push_back(with_attributes(of_one_input("clamp", "min(max(x, min), max) (aten::clamp, hardtanh, relu6)", kFirst),
                                 {any_number("min", 0, "lower bound"), any_number("max", 6, "upper bound")}));
  list.back().check = check_clamp;
  AttributeSchema values{.kind = AttributeSchema::Kind::numbers, .low = -kLargest, .high = kLargest};
  const auto list_of = [&](std::string_view name, std::string_view help) {
    values.name = name;
    values.help = help;
    return values;
  };
  AttributeSchema variance = list_of("var", "running variance of each channel");
  variance.low = 0;
  list.push_back(with_attributes(
      of_one_input("batch_norm",
                   "(x - mean) / sqrt(var + eps) * weight + bias (quantized::batch_norm, batch_norm_relu)", kStated),
      {list_of("weight", "factor of each channel"), list_of("bias", "summand of each channel"),
       list_of("mean", "running mean of each channel"), variance, any_number("eps", 1e-5, "summand of the variance"),
       kRelu}));
  list.back().check = check_batch_norm;
  list.push_back(of_one_input("quantize", "Floats to bytes (aten::quantize_per_tensor)", kStated));
  list.back().has_float_input = true;
  list.push_back(of_one_input("dequantize", "Bytes to floats (aten::dequantize)", kFirst));
  list.back().has_float_output = true;
  return list;
}

}  // namespace

const std::vector<OperatorSchema>& elementwise_schemas() {
  static const std::vector<OperatorSchema> list = make_elementwise_schemas();
  return list;
}

}  // namespace tieout
