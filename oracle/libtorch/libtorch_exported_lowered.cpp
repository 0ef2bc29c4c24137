// Calls the operators that PyTorch's lowering for x86 puts in the place of a layer.

#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/stack.h>

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "oracle/libtorch/libtorch_exported_parts.h"
#include "oracle/libtorch/libtorch_values.h"

namespace tieout {
namespace {

Spatial spatial_argument(const ExportedNode& node, const char* name, std::int64_t neutral, int dims) {
  Spatial result{neutral, neutral, neutral};
  const Argument* const found = node.find(name);
  const auto* const list = found == nullptr ? nullptr : std::get_if<std::vector<Whole>>(found);
  const auto* const one = found == nullptr ? nullptr : std::get_if<std::int64_t>(found);
  for (int d = 0; d < dims; ++d) {
    std::int64_t& extent = result[static_cast<std::size_t>(3 - dims + d)];
    if (one != nullptr) extent = *one;
    if (list == nullptr || list->empty()) continue;
    const Whole& whole = (*list)[list->size() == 1 ? 0 : static_cast<std::size_t>(d) % list->size()];
    if (const auto* const number = std::get_if<std::int64_t>(&whole)) extent = *number;
  }
  return result;
}

at::Tensor call_one(const char* name, const char* overload, torch::jit::Stack stack) {
  const auto handle = c10::Dispatcher::singleton().findSchema({name, overload});
  TORCH_CHECK(handle.has_value(), "this LibTorch does not have ", name);
  handle->callBoxed(&stack);
  return stack.front().toTensor();
}

// Returns a copy for an operator that overwrites what it adds. Convolutions take it in the order of their own results,
// channels last.
at::Tensor to_overwrite(const at::Tensor& summand, bool linear) {
  if (linear || summand.dim() != 4) return summand.clone();
  return summand.clone(at::MemoryFormat::ChannelsLast);
}

}  // namespace

LayerGeometry geometry_of(const ExportedNode& node, int dims) {
  if (dims == 0) return {};
  LayerGeometry geometry{.stride = spatial_argument(node, "stride", 1, dims),
                         .padding = spatial_argument(node, "padding", 0, dims),
                         .dilation = spatial_argument(node, "dilation", 1, dims)};
  if (const auto* const groups = node.find("groups"); groups != nullptr) {
    if (const auto* const number = std::get_if<std::int64_t>(groups)) geometry.groups = *number;
  }
  if (const auto* const padding = node.find("padding"); padding != nullptr) {
    const auto* const word = std::get_if<std::string>(padding);
    geometry.known = word == nullptr || *word == "valid";
  }
  return geometry;
}

at::Tensor call_lowered(const ExportedLayer& layer, const ExportedNode& node, const ExportedValues& values) {
  const at::Tensor& x = tensor_value(values, layer.x);
  const at::Tensor& w = tensor_value(values, layer.w);
  const c10::IValue x_scale = layer.x_quantization->scale, x_zero_point = layer.x_quantization->zero_point;
  const c10::IValue scales = tensor_value(values, layer.w_scales),
                    zero_points = tensor_value(values, layer.w_zero_points);
  const c10::IValue bias = layer.bias.empty() ? c10::IValue() : c10::IValue(tensor_value(values, layer.bias));
  const bool bytes = layer.y_quantization.has_value();
  const c10::IValue y_scale = bytes ? layer.y_quantization->scale : 1.0;
  const c10::IValue y_zero_point = bytes ? layer.y_quantization->zero_point : std::int64_t{0};
  const c10::IValue y_type = static_cast<std::int64_t>(bytes ? scalar_type(layer.y_quantization->type) : at::kFloat);
  const c10::IValue relu = layer.relu ? "relu" : "none", no_scalars = c10::List<std::optional<at::Scalar>>(), none = "";
  const bool linear = layer.dims == 0;
  const bool sum = !layer.summand.empty();
  const bool sum_of_bytes = sum && bytes && !linear;
  c10::IValue summand;
  if (sum) summand = to_overwrite(tensor_value(values, sum_of_bytes ? layer.summand_bytes : layer.summand), linear);
  const c10::IValue s_scale = sum_of_bytes ? layer.summand_quantization->scale : 1.0;
  const c10::IValue s_zero_point = sum_of_bytes ? layer.summand_quantization->zero_point : std::int64_t{0};
  const c10::IValue sum_word = linear && bytes ? "add" : "sum";
  const c10::IValue shape = x.sizes().vec();
  if (linear) {
    const at::Tensor packed = call_one("onednn::qlinear_prepack", "", {w, shape});
    torch::jit::Stack stack{x, x_scale, x_zero_point, packed, scales, zero_points};
    if (sum) {
      stack.insert(stack.end(), {summand, bias, y_scale, y_zero_point, y_type, s_scale, s_zero_point, sum_word, 1.0,
                                 relu, no_scalars, none});
      return call_one("onednn::qlinear_pointwise", "binary", std::move(stack));
    }
    stack.insert(stack.end(), {bias, y_scale, y_zero_point, y_type, relu, no_scalars, none});
    return call_one("onednn::qlinear_pointwise", "", std::move(stack));
  }
  const LayerGeometry geometry = geometry_of(node, layer.dims);
  TORCH_CHECK(geometry.known, "padding by a word is not passed on");
  const c10::IValue stride = spatial_list(geometry.stride, layer.dims),
                    padding = spatial_list(geometry.padding, layer.dims);
  const c10::IValue dilation = spatial_list(geometry.dilation, layer.dims), groups = geometry.groups;
  const at::Tensor packed = call_one("onednn::qconv_prepack", "",
                                     {w, scales, x_scale, x_zero_point, stride, padding, dilation, groups, shape});
  torch::jit::Stack stack{x, x_scale, x_zero_point, packed, scales, zero_points};
  if (sum) stack.push_back(summand);
  stack.insert(stack.end(), {bias, stride, padding, dilation, groups, y_scale, y_zero_point, y_type});
  if (sum) {
    stack.insert(stack.end(), {s_scale, s_zero_point, sum_word, 1.0, relu, no_scalars, none});
    return call_one("onednn::qconv2d_pointwise", "binary", std::move(stack));
  }
  stack.insert(stack.end(), {relu, no_scalars, none});
  return call_one("onednn::qconv_pointwise", "", std::move(stack));
}

}  // namespace tieout
