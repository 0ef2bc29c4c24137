// The operators that PyTorch 2 export is lowered to: onednn::qconv_prepack, onednn::qconv1d_pointwise and its like, and
// onednn::qlinear_prepack, onednn::qlinear_pointwise. They take tensors of plain bytes, and the scales and zero points
// as arguments.

#include "oracle/libtorch/libtorch_pointwise.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>
#include <c10/core/InferenceMode.h>

#include <cstring>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "cases/case_predicates.h"
#include "oracle/libtorch/libtorch_global_state.h"
#include "oracle/libtorch/libtorch_values.h"

namespace tieout {
namespace {

using Integers = c10::List<std::int64_t>;
using Prepack = at::Tensor(at::Tensor, at::Tensor, double, std::int64_t, Integers, Integers, Integers, std::int64_t,
                           std::optional<Integers>);
using ApplyPointwise = at::Tensor(at::Tensor, double, std::int64_t, at::Tensor, at::Tensor, at::Tensor,
                                  std::optional<at::Tensor>, Integers, Integers, Integers, std::int64_t, double,
                                  std::int64_t, std::optional<at::ScalarType>, std::string_view,
                                  c10::List<std::optional<at::Scalar>>, std::optional<std::string_view>);

using PrepackPointwiseLinear = at::Tensor(at::Tensor, std::optional<Integers>);
using ApplyPointwiseLinear = at::Tensor(at::Tensor, double, std::int64_t, at::Tensor, at::Tensor, at::Tensor,
                                        std::optional<at::Tensor>, double, std::int64_t, std::optional<at::ScalarType>,
                                        std::string_view, c10::List<std::optional<at::Scalar>>, std::string_view);

constexpr const char* kPrepack = "onednn::qconv_prepack";
constexpr const char* kPrepackPointwiseLinear = "onednn::qlinear_prepack";
constexpr const char* kPointwiseLinear = "onednn::qlinear_pointwise";

std::string operator_name(int dims) { return "onednn::qconv" + std::to_string(dims) + "d_pointwise"; }

template <typename Signature>
auto onednn_operator(const std::string& name) {
  return c10::Dispatcher::singleton().findSchemaOrThrow(name.c_str(), "").typed<Signature>();
}

// Returns a tensor of the bytes in that shape.
template <typename T>
at::Tensor byte_tensor(const std::vector<T>& values, const Shape& shape, at::ScalarType type) {
  at::Tensor t = at::empty(shape, at::TensorOptions(type));
  std::memcpy(t.data_ptr(), values.data(), values.size());
  return t;
}

Integers shape_list(const Shape& shape) {
  Integers list;
  for (const std::int64_t extent : shape) list.push_back(extent);
  return list;
}

// Holds what convolutions and linear layers have in common.
class PointwiseOperator : public PreparedConv {
 public:
  explicit PointwiseOperator(const ConvCase& c)
      : c_(c),
        weight_scales_(at::tensor(c.weight_scales, at::kDouble).to(at::kFloat)),
        weight_zero_points_(at::tensor(c.weight_zero_points, at::kInt)) {
    // The operator itself accepts other zero points, and computes as if they were 0.
    if (has_weight_zero_point(c)) throw std::invalid_argument("the weight's zero points must be 0");
    if (!c.bias.empty()) bias_ = at::tensor(c.bias, at::kFloat);
  }

  EngineAnswer answer() const override {
    const at::Tensor dense = y_.contiguous();
    const auto* const data = static_cast<const std::uint8_t*>(dense.data_ptr());
    std::vector<std::uint8_t> bytes(data, data + dense.numel());
    // Adding 128 to an int8 number is, in the bits of a byte, adding 128 to a uint8 number.
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(byte + stored_shift(c_.output_type));
    return {{dense.sizes().vec(), std::move(bytes)}, Engine::onednn_pointwise};
  }

 protected:
  at::ScalarType output_type() const { return c_.output_type == OutputType::int8 ? at::kChar : at::kByte; }
  const char* post_operation() const { return c_.relu == Relu::on ? "relu" : "none"; }

  ConvCase c_;
  at::Tensor weight_scales_, weight_zero_points_, packed_, y_;
  std::optional<at::Tensor> bias_;
};

class PointwiseConv final : public PointwiseOperator {
 public:
  explicit PointwiseConv(const ConvProblem& problem)
      : PointwiseOperator(problem.spec),
        apply_(onednn_operator<ApplyPointwise>(operator_name(c_.dims))),
        stride_(spatial_list(c_.stride, c_.dims)),
        padding_(spatial_list(c_.padding, c_.dims)),
        dilation_(spatial_list(c_.dilation, c_.dims)),
        x_(in_memory_format(byte_tensor(problem.activation, activation_shape(c_), at::kByte), c_)) {
    packed_ = onednn_operator<Prepack>(kPrepack).call(
        byte_tensor(problem.weight, weight_shape(c_), at::kChar), weight_scales_, c_.activation_scale,
        c_.activation_zero_point, stride_, padding_, dilation_, c_.groups, shape_list(activation_shape(c_)));
  }

  void run() override {
    const c10::InferenceMode inference;
    y_ = apply_.call(x_, c_.activation_scale, c_.activation_zero_point, packed_, weight_scales_, weight_zero_points_,
                     bias_, stride_, padding_, dilation_, c_.groups, c_.output_scale, stored_output_zero_point(c_),
                     output_type(), post_operation(), c10::List<std::optional<at::Scalar>>(), "");
  }

 private:
  c10::TypedOperatorHandle<ApplyPointwise> apply_;
  Integers stride_, padding_, dilation_;
  at::Tensor x_;
};

// An int8 activation is passed as it is, because oneDNN runs other code for it than for uint8.
class PointwiseLinear final : public PointwiseOperator {
 public:
  explicit PointwiseLinear(const ConvProblem& problem)
      : PointwiseOperator(problem.spec),
        apply_(onednn_operator<ApplyPointwiseLinear>(kPointwiseLinear)),
        x_(activation_of(problem)) {
    packed_ = onednn_operator<PrepackPointwiseLinear>(kPrepackPointwiseLinear)
                  .call(byte_tensor(problem.weight, weight_shape(c_), at::kChar), shape_list(activation_shape(c_)));
  }

  void run() override {
    const c10::InferenceMode inference;
    y_ = apply_.call(x_, c_.activation_scale, stored_activation_zero_point(c_), packed_, weight_scales_,
                     weight_zero_points_, bias_, c_.output_scale, stored_output_zero_point(c_), output_type(),
                     post_operation(), c10::List<std::optional<at::Scalar>>(), "");
  }

 private:
  static at::Tensor activation_of(const ConvProblem& problem) {
    const ConvCase& c = problem.spec;
    std::vector<std::uint8_t> bytes = problem.activation;
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(byte - stored_shift(c.activation_type));
    const bool int8 = c.activation_type == ActivationType::int8;
    return byte_tensor(bytes, activation_shape(c), int8 ? at::kChar : at::kByte);
  }

  c10::TypedOperatorHandle<ApplyPointwiseLinear> apply_;
  at::Tensor x_;
};

}  // namespace

bool has_pointwise_operators() {
  const auto has = [](const std::string& name) {
    return c10::Dispatcher::singleton().findSchema({name, ""}).has_value();
  };
  return has(kPrepack) && has(operator_name(1)) && has(operator_name(2)) && has(operator_name(3)) &&
         has(kPrepackPointwiseLinear) && has(kPointwiseLinear);
}

std::unique_ptr<PreparedConv> prepare_pointwise_conv(const ConvProblem& problem) {
  const c10::InferenceMode inference;
  select(problem.spec.execution);
  if (is_linear(problem.spec)) return std::make_unique<PointwiseLinear>(problem);
  return std::make_unique<PointwiseConv>(problem);
}

}  // namespace tieout
