// The operator of one case: quantized::convNd, convNd_relu, linear or linear_relu, prepacked.

#include "oracle/libtorch/libtorch_prepared.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/native/quantized/PackedParams.h>
#include <ATen/ops/_empty_affine_quantized.h>
#include <ATen/ops/_empty_per_channel_affine_quantized.h>
#include <ATen/ops/tensor.h>
#include <c10/core/InferenceMode.h>

#include <cstring>
#include <optional>
#include <typeinfo>
#include <utility>

#include "cases/case_predicates.h"
#include "oracle/libtorch/libtorch_global_state.h"
#include "oracle/libtorch/libtorch_values.h"

namespace tieout {
namespace {

// Base: the class of the packed weights, ConvPackedParamsBase<2>, ConvPackedParamsBase<3> or LinearPackedParamsBase.
template <typename Base>
using PackedWeights = c10::intrusive_ptr<Base>;
template <typename Base>
using ApplyPacked = at::Tensor(at::Tensor, const PackedWeights<Base>&, double, int64_t);
template <typename Base>
using PrepackConv = PackedWeights<Base>(at::Tensor, std::optional<at::Tensor>, c10::List<int64_t>, c10::List<int64_t>,
                                        c10::List<int64_t>, int64_t);
using PrepackLinear = PackedWeights<LinearPackedParamsBase>(at::Tensor, std::optional<at::Tensor>);

// Returns the handle of an operator, as python's torch.ops finds it.
template <typename Signature>
auto operator_handle(const std::string& name, const char* overload) {
  return c10::Dispatcher::singleton().findSchemaOrThrow(name.c_str(), overload).typed<Signature>();
}

at::Tensor activation_tensor(const ConvProblem& problem) {
  const ConvCase& c = problem.spec;
  at::Tensor x = at::_empty_affine_quantized(activation_shape(c), at::TensorOptions(at::kQUInt8), c.activation_scale,
                                             c.activation_zero_point);
  std::memcpy(x.data_ptr(), problem.activation.data(), problem.activation.size());
  return in_memory_format(x, c);
}

at::Tensor weight_tensor(const ConvProblem& problem) {
  const ConvCase& c = problem.spec;
  const at::TensorOptions options(at::kQInt8);
  at::Tensor w;
  if (c.granularity == Granularity::per_tensor) {
    w = at::_empty_affine_quantized(weight_shape(c), options, c.weight_scales.front(), c.weight_zero_points.front());
  } else {
    w = at::_empty_per_channel_affine_quantized(weight_shape(c), at::tensor(c.weight_scales, at::kDouble),
                                                at::tensor(c.weight_zero_points, at::kLong), 0, options);
  }
  std::memcpy(w.data_ptr(), problem.weight.data(), problem.weight.size());
  return w;
}

template <typename Prepack, typename Base>
struct Operators {
  c10::TypedOperatorHandle<Prepack> prepack;
  c10::TypedOperatorHandle<ApplyPacked<Base>> plain, relu;
};

template <typename Prepack, typename Base>
Operators<Prepack, Base> find_operators(const std::string& base, const char* overload) {
  return {operator_handle<Prepack>(base + "_prepack", ""), operator_handle<ApplyPacked<Base>>(base, overload),
          operator_handle<ApplyPacked<Base>>(base + "_relu", overload)};
}

template <int kDims>
auto find_conv(const std::string& base, const char* overload) {
  using Base = ConvPackedParamsBase<kDims>;
  return find_operators<PrepackConv<Base>, Base>(base, overload);
}

template <typename Base>
class Prepared final : public PreparedConv {
 public:
  template <typename Prepack>
  Prepared(const ConvProblem& problem, const Operators<Prepack, Base>& operators, PackedWeights<Base> packed)
      : apply_(problem.spec.relu == Relu::on ? operators.relu : operators.plain),
        scale_(problem.spec.output_scale),
        zero_point_(problem.spec.output_zero_point),
        packed_(std::move(packed)),
        x_(activation_tensor(problem)) {}

  void run() override {
    const c10::InferenceMode inference;
    y_ = apply_.call(x_, packed_, scale_, zero_point_);
  }

  EngineAnswer answer() const override {
    const at::Tensor dense = y_.contiguous();
    const auto* const data = static_cast<const std::uint8_t*>(dense.data_ptr());
    const Base& base = *packed_;
    return {{dense.sizes().vec(), {data, data + dense.numel()}}, packed_by(typeid(base))};
  }

 private:
  c10::TypedOperatorHandle<ApplyPacked<Base>> apply_;
  double scale_;
  std::int64_t zero_point_;
  PackedWeights<Base> packed_;
  at::Tensor x_, y_;
};

std::optional<at::Tensor> bias_tensor(const ConvCase& c) {
  if (c.bias.empty()) return {};
  return at::tensor(c.bias, at::kFloat);
}

template <int kDims, typename ConvOperators>
std::unique_ptr<PreparedConv> pack_conv(const ConvProblem& problem, const ConvOperators& operators) {
  const ConvCase& c = problem.spec;
  return std::make_unique<Prepared<ConvPackedParamsBase<kDims>>>(
      problem, operators,
      operators.prepack.call(weight_tensor(problem), bias_tensor(c), spatial_list(c.stride, c.dims),
                             spatial_list(c.padding, c.dims), spatial_list(c.dilation, c.dims), c.groups));
}

std::unique_ptr<PreparedConv> pack_linear(const ConvProblem& problem) {
  static const auto linear = find_operators<PrepackLinear, LinearPackedParamsBase>("quantized::linear", "");
  return std::make_unique<Prepared<LinearPackedParamsBase>>(
      problem, linear, linear.prepack.call(weight_tensor(problem), bias_tensor(problem.spec)));
}

}  // namespace

// conv1d packs as a 2-d convolution of height 1.
std::unique_ptr<PreparedConv> prepare_conv(const ConvProblem& problem) {
  static const auto conv1d = find_conv<2>("quantized::conv1d", "");
  static const auto conv2d = find_conv<2>("quantized::conv2d", "new");
  static const auto conv3d = find_conv<3>("quantized::conv3d", "new");
  const c10::InferenceMode inference;
  select(problem.spec.execution);
  if (is_linear(problem.spec)) return pack_linear(problem);
  if (problem.spec.dims == 3) return pack_conv<3>(problem, conv3d);
  return pack_conv<2>(problem, problem.spec.dims == 2 ? conv2d : conv1d);
}

}  // namespace tieout
