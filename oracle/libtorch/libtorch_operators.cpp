#include "oracle/libtorch/libtorch_operators.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/ivalue.h>
#include <ATen/ops/_empty_affine_quantized.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>

#include "oracle/libtorch/libtorch_global_state.h"
#include "oracle/libtorch/libtorch_operator_bindings.h"

namespace tieout {
namespace {

// Calls the function with each element's offset in memory, in row-major order.
template <typename Visit>
void for_each_offset(const Shape& shape, const Shape& strides, Visit visit) {
  const std::int64_t count = element_count(shape);
  Shape index(shape.size());
  std::int64_t offset = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    visit(i, offset);
    for (std::size_t d = shape.size(); d-- > 0;) {
      offset += strides[d];
      if (++index[d] < shape[d]) break;
      offset -= index[d] * strides[d];
      index[d] = 0;
    }
  }
}

at::Tensor input_tensor(const OperatorCase& c, std::size_t i) {
  const OperatorInput& input = c.inputs[i];
  const Shape strides = strides_of(c, i);
  std::int64_t span = 1;
  for (std::size_t d = 0; d < strides.size(); ++d) span += strides[d] * (input.shape[d] - 1);
  if (c.schema->has_float_input) {
    const at::Tensor memory = at::zeros({span}, at::kFloat);
    float* const data = memory.mutable_data_ptr<float>();
    for_each_offset(input.shape, strides, [&](std::int64_t element, std::int64_t offset) {
      data[offset] = input.floats[static_cast<std::size_t>(element)];
    });
    return memory.as_strided(input.shape, strides);
  }
  const at::Tensor memory = at::_empty_affine_quantized({span}, at::TensorOptions(at::kQUInt8),
                                                        input.quantization.scale, input.quantization.zero_point);
  auto* const data = static_cast<std::uint8_t*>(memory.data_ptr());
  std::fill(data, data + span, std::uint8_t{0});
  for_each_offset(input.shape, strides, [&](std::int64_t element, std::int64_t offset) {
    data[offset] = input.contents.values[static_cast<std::size_t>(element)];
  });
  return memory.as_strided(input.shape, strides);
}

// Sets the input's values to those of the tensor.
void set_contents(OperatorInput& input, const at::Tensor& t) {
  const Shape shape = t.sizes().vec(), strides = t.strides().vec();
  if (!t.is_quantized()) {
    const float* const floats = t.const_data_ptr<float>();
    input.floats.resize(static_cast<std::size_t>(t.numel()));
    for_each_offset(shape, strides, [&](std::int64_t element, std::int64_t offset) {
      input.floats[static_cast<std::size_t>(element)] = floats[offset];
    });
    return;
  }
  const auto* const bytes = static_cast<const std::uint8_t*>(t.data_ptr());
  input.contents = {Fill::listed, std::vector<std::uint8_t>(static_cast<std::size_t>(t.numel()))};
  for_each_offset(shape, strides, [&](std::int64_t element, std::int64_t offset) {
    input.contents.values[static_cast<std::size_t>(element)] = bytes[offset];
  });
}

}  // namespace

const std::vector<OperatorBinding>& operator_bindings() {
  static const std::vector<OperatorBinding> all = [] {
    std::vector<OperatorBinding> list;
    for (const auto* family : {&elementwise_bindings(), &joining_bindings(), &pooling_bindings()}) {
      list.insert(list.end(), family->begin(), family->end());
    }
    return list;
  }();
  return all;
}

const OperatorBinding& binding_of(const OperatorSchema& schema) {
  const auto& all = operator_bindings();
  const auto found = std::ranges::find(all, schema.name, &OperatorBinding::operator_name);
  if (found == all.end()) throw std::logic_error("no call of LibTorch for the operator " + std::string(schema.name));
  return *found;
}

bool is_byte_tensor(const c10::IValue& value) {
  return value.isTensor() && value.toTensor().is_quantized() && value.toTensor().scalar_type() == at::kQUInt8 &&
         value.toTensor().qscheme() == at::kPerTensorAffine;
}

OperatorCase captured_case(std::string_view operator_name, const std::vector<const c10::IValue*>& inputs,
                           const at::Tensor& y) {
  OperatorCase c = default_case(*find_operator(operator_name), inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const at::Tensor& x = inputs[i]->toTensor();
    OperatorInput& input = c.inputs[i];
    input.shape = x.sizes().vec();
    input.strides = x.strides().vec();
    if (x.is_quantized()) input.quantization = {x.q_scale(), x.q_zero_point()};
    set_contents(input, x);
  }
  // A layout that all inputs have is the case's; others are listed.
  for (const MemoryFormat format : {MemoryFormat::contiguous, MemoryFormat::channels_last}) {
    const auto is_dense = [&](const OperatorInput& in) { return in.strides == dense_strides(in.shape, format); };
    if (!std::ranges::all_of(c.inputs, is_dense)) continue;
    c.memory_format = format;
    for (OperatorInput& input : c.inputs) input.strides.clear();
  }
  if (y.is_quantized()) c.output = {y.q_scale(), y.q_zero_point()};
  return c;
}

OperatorOutput output_of(const at::Tensor& y) {
  const Shape shape = y.sizes().vec(), strides = y.strides().vec();
  OperatorOutput output{{shape, std::vector<std::int32_t>(static_cast<std::size_t>(y.numel()))}, !y.is_quantized()};
  std::vector<std::int32_t>& values = output.values.values;
  if (y.is_quantized()) {
    const auto* const bytes = static_cast<const std::uint8_t*>(y.data_ptr());
    for_each_offset(shape, strides, [&](std::int64_t element, std::int64_t offset) {
      values[static_cast<std::size_t>(element)] = bytes[offset];
    });
    return output;
  }
  const float* const floats = y.const_data_ptr<float>();
  for_each_offset(shape, strides, [&](std::int64_t element, std::int64_t offset) {
    std::memcpy(&values[static_cast<std::size_t>(element)], floats + offset, sizeof(float));
  });
  return output;
}

OperatorOutput call_operator(const OperatorCase& c) {
  select({.threads = c.threads});
  std::vector<at::Tensor> inputs;
  for (std::size_t i = 0; i < c.inputs.size(); ++i) inputs.push_back(input_tensor(c, i));
  const OperatorBinding& binding = binding_of(*c.schema);
  DispatcherCall call = binding.call(c, inputs);
  const auto handle = c10::Dispatcher::singleton().findSchemaOrThrow(call.name.c_str(), call.overload.c_str());
  handle.callBoxed(&call.arguments);
  const at::Tensor& y = call.arguments.front().toTensor();
  if (y.is_quantized() && (y.q_scale() != c.output.scale || y.q_zero_point() != c.output.zero_point)) {
    throw std::logic_error("the output has another scale or zero point than the case");
  }
  return output_of(y);
}

bool may_capture(std::string_view name) {
  return std::ranges::any_of(operator_bindings(), [&](const OperatorBinding& binding) {
    return std::ranges::find(binding.names, name) != binding.names.end();
  });
}

std::optional<OperatorCase> captured_operator(std::string_view name, std::string_view overload,
                                              const std::vector<c10::IValue>& arguments, const c10::IValue& output) {
  if (!output.isTensor()) return {};
  const std::string full = std::string(name) + (overload.empty() ? "" : ".") + std::string(overload);
  for (const OperatorBinding& binding : operator_bindings()) {
    if (std::ranges::find(binding.names, full) == binding.names.end()) continue;
    const auto known = c10::Dispatcher::singleton().findSchema({std::string(name), std::string(overload)});
    if (!known || known->schema().arguments().size() != arguments.size()) return {};
    auto c = binding.captured(full, arguments, output.toTensor());
    if (!c || !validate(*c)) return {};
    return c;
  }
  return {};
}

}  // namespace tieout
