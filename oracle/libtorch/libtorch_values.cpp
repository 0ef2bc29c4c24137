#include "oracle/libtorch/libtorch_values.h"

#include <ATen/core/List.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>
#include <ATen/ops/empty.h>

#include <array>
#include <cstring>
#include <new>
#include <string_view>
#include <utility>

namespace tieout {
namespace {

using Type = ModelTensor::Type;
constexpr std::array<std::pair<Type, at::ScalarType>, 5> kArgumentTypes{{{Type::float32, at::kFloat},
                                                                         {Type::float64, at::kDouble},
                                                                         {Type::int64, at::kLong},
                                                                         {Type::int32, at::kInt},
                                                                         {Type::uint8, at::kByte}}};

}  // namespace

at::Tensor tensor_of(const ModelTensor& t) {
  at::ScalarType type = at::kFloat;
  for (const auto& [ours, theirs] : kArgumentTypes) {
    if (ours == t.type) type = theirs;
  }
  const bool one_number = t.bytes.size() == c10::elementSize(type);
  at::Tensor tensor = at::empty(one_number ? Shape{1} : t.shape, type);
  std::memcpy(tensor.data_ptr(), t.bytes.data(), t.bytes.size());
  return one_number ? tensor.expand(t.shape) : tensor;
}

at::Tensor in_memory_format(const at::Tensor& t, const ConvCase& c) {
  if (c.execution.memory_format == MemoryFormat::contiguous) return t.contiguous();
  return t.contiguous(c.dims == 3 ? at::MemoryFormat::ChannelsLast3d : at::MemoryFormat::ChannelsLast);
}

c10::List<std::int64_t> spatial_list(const Spatial& spatial, int dims) {
  c10::List<std::int64_t> list;
  for (auto it = spatial.end() - dims; it != spatial.end(); ++it) list.push_back(*it);
  return list;
}

std::optional<ModelTensor::Type> argument_type(const at::Tensor& t) {
  for (const auto& [ours, theirs] : kArgumentTypes) {
    if (theirs == t.scalar_type()) return ours;
  }
  return {};
}

void collect(const c10::IValue& value, std::vector<Tensor<double>>& outputs) {
  if (value.isTensor()) {
    at::Tensor t = value.toTensor();
    if (!t.defined()) return;
    if (t.is_quantized()) t = t.dequantize();
    t = t.to(at::kDouble).contiguous();
    const double* const data = t.const_data_ptr<double>();
    outputs.push_back({t.sizes().vec(), {data, data + t.numel()}});
  } else if (value.isTuple()) {
    for (const c10::IValue& element : value.toTupleRef().elements()) collect(element, outputs);
  } else if (value.isList()) {
    for (const c10::IValue& element : value.toListRef()) collect(element, outputs);
  } else if (value.isGenericDict()) {
    for (const auto& entry : value.toGenericDict()) collect(entry.value(), outputs);
  }
}

bool is_out_of_memory(const std::exception& error) {
  return dynamic_cast<const std::bad_alloc*>(&error) != nullptr ||
         std::string_view(error.what()).find("DefaultCPUAllocator: can't allocate memory") != std::string_view::npos;
}

}  // namespace tieout
