#include "oracle/libtorch/libtorch_weights.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>
#include <ATen/native/quantized/PackedParams.h>

#include <string>

#include "oracle/libtorch/libtorch_global_state.h"

namespace tieout {
namespace {

template <typename T>
std::vector<T> bytes_of(const at::Tensor& t) {
  const at::Tensor dense = t.contiguous();
  const auto* const data = static_cast<const T*>(dense.data_ptr());
  return {data, data + dense.numel()};
}

template <typename T>
std::vector<T> values_of(const at::Tensor& t, at::ScalarType type) {
  return bytes_of<T>(t.to(at::kCPU, type));
}

Spatial spatial(const torch::List<std::int64_t>& list, std::int64_t neutral) {
  Spatial result{neutral, neutral, neutral};
  for (std::size_t i = 0; i < list.size() && i < 3; ++i) result[3 - list.size() + i] = list.get(i);
  return result;
}

void describe_weight(const at::Tensor& w, ConvCase& c) {
  c.out_channels = w.size(0);
  c.kernel = trailing({w.sizes().data(), w.sizes().size()});
  if (w.qscheme() == at::kPerTensorAffine) {
    c.granularity = Granularity::per_tensor;
    c.weight_scales = {w.q_scale()};
    c.weight_zero_points = {w.q_zero_point()};
  } else {
    c.granularity = Granularity::per_channel;
    c.weight_scales = values_of<double>(w.q_per_channel_scales(), at::kDouble);
    c.weight_zero_points = values_of<std::int64_t>(w.q_per_channel_zero_points(), at::kLong);
  }
}

template <int kDims>
void describe(const c10::IValue& value, UnpackedWeights::Entry& entry) {
  const auto packed = value.toCustomClass<ConvPackedParamsBase<kDims>>();
  ConvPackedParamsBase<kDims>& base = *packed;
  const auto [weight, bias] = base.unpack();
  entry.value = std::make_unique<const c10::IValue>(value);
  entry.weight = bytes_of<std::int8_t>(weight);
  ConvCase& c = entry.spec;
  describe_weight(weight, c);
  c.groups = base.groups();
  c.in_channels = weight.size(1) * c.groups;
  c.stride = spatial(base.stride(), 1);
  c.padding = spatial(base.padding(), 0);
  c.dilation = spatial(base.dilation(), 1);
  if (bias && bias->defined()) c.bias = values_of<float>(*bias, at::kFloat);
  c.execution.engine = packed_by(typeid(base));
}

}  // namespace

Spatial trailing(std::span<const std::int64_t> sizes) {
  Spatial result{1, 1, 1};
  for (std::size_t i = 2; i < sizes.size() && i < 5; ++i) result[3 + i - sizes.size()] = sizes[i];
  return result;
}

bool transposed(const c10::IValue& packed, int dims) {
  if (dims == 3) return packed.toCustomClass<ConvPackedParamsBase<3>>()->transpose();
  return packed.toCustomClass<ConvPackedParamsBase<2>>()->transpose();
}

const void* packed_address(const c10::IValue& value) {
  if (!value.isObject() || value.toObjectRef().slots().empty()) return nullptr;
  const c10::IValue& slot = value.toObjectRef().getSlot(0);
  return slot.isCapsule() ? slot.toCapsule().get() : nullptr;
}

UnpackedWeights::UnpackedWeights() = default;
UnpackedWeights::~UnpackedWeights() = default;

const UnpackedWeights::Entry& UnpackedWeights::of(const c10::IValue& packed, int dims) {
  const void* const address = packed_address(packed);
  if (const auto found = entries_.find(address); found != entries_.end() && address != nullptr) return *found->second;
  auto entry = std::make_unique<Entry>();
  if (dims == 3) {
    describe<3>(packed, *entry);
  } else {
    describe<2>(packed, *entry);
  }
  return *(entries_[address] = std::move(entry));
}

void UnpackedWeights::prepare(const c10::IValue& packed) {
  const std::string type = packed.type()->str();
  for (const int dims : {2, 3}) {
    if (type.find("Conv" + std::to_string(dims) + "dPackedParamsBase") == std::string::npos) continue;
    if (!transposed(packed, dims)) static_cast<void>(of(packed, dims));
  }
}

}  // namespace tieout
