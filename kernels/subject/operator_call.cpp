#include "kernels/subject/operator_call.h"

#include <cstring>
#include <utility>

#include "kernels/subject/guarded_call.h"
#include "kernels/subject/tensor_order.h"

namespace tieout {
namespace {

// Returns the numbers of an attribute as a kernel gets them: extents have one for each spatial dimension.
std::vector<double> numbers_of(const OperatorCase& c, std::size_t i) {
  const AttributeSchema& schema = c.schema->attributes[i];
  if (schema.kind != AttributeSchema::Kind::extents) return c.attributes[i];
  const Shape given = extents(c, schema.name);
  return {given.begin(), given.end()};
}

// Returns the values of the output, of which floats are held as their bits.
std::vector<std::int32_t> values_in(const GuardedBuffer& output, bool is_float) {
  const auto bytes = output.bytes();
  if (!is_float) return {bytes.begin(), bytes.end()};
  std::vector<std::int32_t> bits(bytes.size() / sizeof(float));
  std::memcpy(bits.data(), bytes.data(), bytes.size());
  return bits;
}

// The arguments of a call, and the copies that show whether the kernel has changed them.
struct Arguments {
  std::vector<std::vector<std::uint8_t>> bytes;
  std::vector<std::vector<float>> floats;
  std::vector<std::vector<double>> numbers;
  std::vector<tieout_tensor> tensors;
  std::vector<tieout_attribute> attributes;
};

}  // namespace

// NOLINTNEXTLINE(readability-function-size): the steps of a call in their order
SubjectAnswer OperatorCall::run(OperatorFunction kernel, const KernelTraits& traits, const OperatorCase& c,
                                const Conditions& conditions) {
  const bool channels_last = traits.activation == KernelTraits::Order::channels_last;
  const bool has_floats = c.schema->has_float_input;
  const std::size_t alignment = traits.alignment;
  Arguments given;
  std::vector<NamedBuffer> buffers{{"output", &output_}};
  for (std::size_t i = 0; i < c.inputs.size(); ++i) {
    const OperatorInput& input = c.inputs[i];
    if (inputs_.size() == i) inputs_.emplace_back().name = "input " + std::to_string(i + 1);
    Buffers& b = inputs_[i];
    given.bytes.push_back(channels_last ? with_channels_last(input.contents.values, input.shape)
                                        : input.contents.values);
    given.floats.push_back(channels_last ? with_channels_last(input.floats, input.shape) : input.floats);
    tieout_tensor tensor{};
    tensor.rank = std::ssize(input.shape);
    tensor.count = element_count(input.shape);
    tensor.shape = fill_buffer(b.shape, input.shape, 1, conditions);
    if (has_floats) {
      tensor.floats = fill_buffer(b.values, given.floats.back(), alignment, conditions);
    } else {
      tensor.bytes = fill_buffer(b.values, given.bytes.back(), alignment, conditions);
      tensor.scale = input.quantization.scale;
      tensor.zero_point = input.quantization.zero_point;
    }
    given.tensors.push_back(tensor);
    buffers.push_back({b.name.c_str(), &b.values});
    buffers.push_back({"inputs' shapes", &b.shape});
  }
  for (std::size_t i = 0; i < c.attributes.size(); ++i) {
    const std::string name(c.schema->attributes[i].name);
    if (attributes_.size() == i) attributes_.emplace_back();
    Buffers& b = attributes_[i];
    b.name = "attribute " + name;
    given.numbers.push_back(numbers_of(c, i));
    const double* const values = fill_buffer(b.values, given.numbers.back(), 1, conditions);
    // NOLINTNEXTLINE(bugprone-suspicious-stringview-data-usage): names of schemas are literals, which end with a zero
    given.attributes.push_back({c.schema->attributes[i].name.data(), std::ssize(given.numbers.back()), values});
    buffers.push_back({b.name.c_str(), &b.values});
  }
  const Shape shape = output_shape(c);
  const bool is_float = c.schema->has_float_output;
  const std::size_t size = is_float ? sizeof(float) : 1;
  output_.place(static_cast<std::size_t>(element_count(shape)) * size, std::max(alignment, size), conditions.placement,
                conditions.output_fill);
  tieout_operator call{};
  call.size = sizeof call;
  call.name = c.schema->name.data();  // NOLINT(bugprone-suspicious-stringview-data-usage): as above
  call.input_count = std::ssize(given.tensors);
  call.inputs = fill_buffer(tensors_, given.tensors, 1, conditions);
  call.attribute_count = std::ssize(given.attributes);
  call.attributes = fill_buffer(lists_, given.attributes, 1, conditions);
  call.output_rank = std::ssize(shape);
  call.output_count = element_count(shape);
  call.output_shape = fill_buffer(output_shape_, shape, 1, conditions);
  if (is_float) {
    call.output_floats = reinterpret_cast<float*>(output_.bytes().data());
  } else {
    call.output = output_.bytes().data();
    call.output_scale = c.output.scale;
    call.output_zero_point = c.output.zero_point;
  }
  for (const NamedBuffer& named : {NamedBuffer{"list of inputs", &tensors_},
                                   {"list of attributes", &lists_},
                                   {"output's shape", &output_shape_}}) {
    buffers.push_back(named);
  }
  const tieout_operator before = call;
  const CallResult result = call_guarded([&] { return kernel(&call); }, conditions, buffers);
  std::string wrong_write = find_stray_write(buffers);
  bool intact = std::memcmp(&before, &call, sizeof call) == 0 && holds(tensors_, given.tensors) &&
                holds(lists_, given.attributes) && holds(output_shape_, shape);
  for (std::size_t i = 0; i < c.inputs.size(); ++i) {
    const GuardedBuffer& values = inputs_[i].values;
    intact = intact && holds(inputs_[i].shape, c.inputs[i].shape) &&
             (has_floats ? holds(values, given.floats[i]) : holds(values, given.bytes[i]));
  }
  for (std::size_t i = 0; i < c.attributes.size(); ++i) {
    intact = intact && holds(attributes_[i].values, given.numbers[i]);
  }
  if (wrong_write.empty() && !intact) wrong_write = kWritesIntoInputs;
  if (auto error = error_of(result, std::move(wrong_write))) return tl::unexpected(std::move(*error));
  std::vector<std::int32_t> values = values_in(output_, is_float);
  return Answers{shape, channels_last ? in_row_major_order(values, shape) : std::move(values)};
}

}  // namespace tieout
