#include "props/selftest/operator_call.h"

#include <cstring>
#include <string>
#include <vector>

namespace tieout {
namespace {

std::vector<tieout_tensor> tensors_of(const OperatorCase& c) {
  std::vector<tieout_tensor> tensors;
  for (const OperatorInput& input : c.inputs) {
    tensors.push_back({.rank = std::ssize(input.shape),
                       .count = element_count(input.shape),
                       .shape = input.shape.data(),
                       .bytes = c.schema->has_float_input ? nullptr : input.contents.values.data(),
                       .floats = c.schema->has_float_input ? input.floats.data() : nullptr,
                       .scale = input.quantization.scale,
                       .zero_point = input.quantization.zero_point});
  }
  return tensors;
}

// Returns the numbers of each attribute; extents have one for each spatial dimension.
std::vector<std::vector<double>> numbers_of(const OperatorCase& c) {
  std::vector<std::vector<double>> numbers = c.attributes;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const AttributeSchema& schema = c.schema->attributes[i];
    if (schema.kind != AttributeSchema::Kind::extents) continue;
    const Shape all = extents(c, schema.name);
    numbers[i].assign(all.begin(), all.end());
  }
  return numbers;
}

}  // namespace

tl::expected<OperatorOutput, SubjectError> call_operator(OperatorFunction kernel, const OperatorCase& c) {
  const std::string name(c.schema->name);
  const std::vector<tieout_tensor> tensors = tensors_of(c);
  const std::vector<std::vector<double>> numbers = numbers_of(c);
  std::vector<std::string> names;
  for (const AttributeSchema& schema : c.schema->attributes) names.emplace_back(schema.name);
  std::vector<tieout_attribute> attributes;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    attributes.push_back({.name = names[i].c_str(), .count = std::ssize(numbers[i]), .values = numbers[i].data()});
  }
  const Shape shape = output_shape(c);
  const auto count = static_cast<std::size_t>(element_count(shape));
  const bool is_float = c.schema->has_float_output;
  std::vector<std::uint8_t> bytes(is_float ? 0 : count);
  std::vector<float> floats(is_float ? count : 0);
  const tieout_operator call{.size = sizeof(tieout_operator),
                             .name = name.c_str(),
                             .input_count = std::ssize(tensors),
                             .inputs = tensors.data(),
                             .attribute_count = std::ssize(attributes),
                             .attributes = attributes.data(),
                             .output_rank = std::ssize(shape),
                             .output_count = static_cast<std::int64_t>(count),
                             .output_shape = shape.data(),
                             .output_scale = c.output.scale,
                             .output_zero_point = c.output.zero_point,
                             .output = is_float ? nullptr : bytes.data(),
                             .output_floats = is_float ? floats.data() : nullptr};
  if (const char* const reason = kernel(&call); reason != nullptr) {
    return tl::unexpected(SubjectError{SubjectError::Kind::declined, reason});
  }
  OperatorOutput output{.values = {.shape = shape, .values = {bytes.begin(), bytes.end()}}, .is_float = is_float};
  output.values.values.resize(count);
  if (is_float) std::memcpy(output.values.values.data(), floats.data(), count * sizeof(float));
  return output;
}

}  // namespace tieout
