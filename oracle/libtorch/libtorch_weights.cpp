#include "oracle/libtorch/libtorch_weights.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>
#include <ATen/native/quantized/PackedParams.h>

#include <string>

#include "oracle/libtorch/libtorch_global_state.h"

namespace tieout {
namespace {

template <typename T>
std::vector<T> stored_values(const at::Tensor& t) {
  const at::Tensor dense = t.contiguous();
  const auto* const data = static_cast<const T*>(dense.data_ptr());
  return {data, data + dense.numel()};
}

template <typename T>
std::vector<T> converted_values(const at::Tensor& t, at::ScalarType type) {
  return stored_values<T>(t.to(at::kCPU, type));
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
    c.weight_scales = converted_values<double>(w.q_per_channel_scales(), at::kDouble);
    c.weight_zero_points = converted_values<std::int64_t>(w.q_per_channel_zero_points(), at::kLong);
  }
}

// Unpacks what convolutions and linear layers have in common. Base: the class of the packed weights.
template <typename Base>
void describe_packed(Base& base, UnpackedWeights::Entry& entry) {
  const auto [weight, bias] = base.unpack();
  entry.weight = stored_values<std::int8_t>(weight);
  ConvCase& c = entry.spec;
  describe_weight(weight, c);
  c.in_channels = weight.size(1);
  if (bias && bias->defined()) c.bias = converted_values<float>(*bias, at::kFloat);
  c.execution.engine = packed_by(typeid(base));
}

template <int kDims>
void describe_conv(const c10::IValue& value, UnpackedWeights::Entry& entry) {
  const auto packed = value.toCustomClass<ConvPackedParamsBase<kDims>>();
  describe_packed(*packed, entry);
  ConvCase& c = entry.spec;
  c.groups = packed->groups();
  c.in_channels *= c.groups;
  c.stride = spatial(packed->stride(), 1);
  c.padding = spatial(packed->padding(), 0);
  c.dilation = spatial(packed->dilation(), 1);
}

}  // namespace

Spatial trailing(std::span<const std::int64_t> sizes) {
  Spatial result{1, 1, 1};
  for (std::size_t i = 2; i < sizes.size() && i < 5; ++i) result[3 + i - sizes.size()] = sizes[i];
  return result;
}

bool transposed(const c10::IValue& packed, PackedAs as) {
  if (as == PackedAs::conv3d) return packed.toCustomClass<ConvPackedParamsBase<3>>()->transpose();
  return packed.toCustomClass<ConvPackedParamsBase<2>>()->transpose();
}

const void* packed_address(const c10::IValue& value) {
  if (!value.isObject() || value.toObjectRef().slots().empty()) return nullptr;
  const c10::IValue& slot = value.toObjectRef().getSlot(0);
  return slot.isCapsule() ? slot.toCapsule().get() : nullptr;
}

UnpackedWeights::UnpackedWeights() = default;
UnpackedWeights::~UnpackedWeights() = default;

const UnpackedWeights::Entry& UnpackedWeights::of(const c10::IValue& packed, PackedAs as) {
  const void* const address = packed_address(packed);
  if (const auto found = entries_.find(address); found != entries_.end() && address != nullptr) return *found->second;
  auto entry = std::make_unique<Entry>();
  entry->value = std::make_unique<const c10::IValue>(packed);
  switch (as) {
    case PackedAs::conv2d: describe_conv<2>(packed, *entry); break;
    case PackedAs::conv3d: describe_conv<3>(packed, *entry); break;
    case PackedAs::linear: describe_packed(*packed.toCustomClass<LinearPackedParamsBase>(), *entry); break;
  }
  return *(entries_[address] = std::move(entry));
}

void UnpackedWeights::prepare(const c10::IValue& packed) {
  const std::string type = packed.type()->str();
  if (type.find("Conv2dPackedParamsBase") != std::string::npos && !transposed(packed, PackedAs::conv2d)) {
    static_cast<void>(of(packed, PackedAs::conv2d));
  }
  if (type.find("Conv3dPackedParamsBase") != std::string::npos && !transposed(packed, PackedAs::conv3d)) {
    static_cast<void>(of(packed, PackedAs::conv3d));
  }
  // Dynamic linear layers have packed weights of the same class, some of them not int8, which are not captured.
  if (type.find("LinearPackedParamsBase") != std::string::npos) {
    const auto [weight, bias] = packed.toCustomClass<LinearPackedParamsBase>()->unpack();
    const bool is_int8 = weight.scalar_type() == at::kQInt8;
    if (is_int8) static_cast<void>(of(packed, PackedAs::linear));
  }
}

}  // namespace tieout
