// The operators that PyTorch 2 export is lowered to: onednn::qconv_prepack, and onednn::qconv1d_pointwise and its like.
// They take tensors of plain bytes, and the scales and zero points as arguments.

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

constexpr const char* kPrepack = "onednn::qconv_prepack";

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

class Pointwise final : public PreparedConv {
 public:
  explicit Pointwise(const ConvProblem& problem)
      : c_(problem.spec),
        apply_(onednn_operator<ApplyPointwise>(operator_name(c_.dims))),
        stride_(spatial_list(c_.stride, c_.dims)),
        padding_(spatial_list(c_.padding, c_.dims)),
        dilation_(spatial_list(c_.dilation, c_.dims)),
        x_(in_memory_format(byte_tensor(problem.activation, activation_shape(c_), at::kByte), c_)),
        weight_scales_(at::tensor(c_.weight_scales, at::kDouble).to(at::kFloat)),
        weight_zero_points_(at::tensor(c_.weight_zero_points, at::kInt)) {
    // The operator itself accepts other zero points, and computes as if they were 0.
    if (has_weight_zero_point(c_)) throw std::invalid_argument("the weight's zero points must be 0");
    if (!c_.bias.empty()) bias_ = at::tensor(c_.bias, at::kFloat);
    packed_ = onednn_operator<Prepack>(kPrepack).call(
        byte_tensor(problem.weight, weight_shape(c_), at::kChar), weight_scales_, c_.activation_scale,
        c_.activation_zero_point, stride_, padding_, dilation_, c_.groups, shape_list(activation_shape(c_)));
  }

  void run() override {
    const c10::InferenceMode inference;
    const bool int8 = c_.output_type == OutputType::int8;
    y_ = apply_.call(x_, c_.activation_scale, c_.activation_zero_point, packed_, weight_scales_, weight_zero_points_,
                     bias_, stride_, padding_, dilation_, c_.groups, c_.output_scale, stored_output_zero_point(c_),
                     int8 ? at::kChar : at::kByte, c_.relu == Relu::on ? "relu" : "none",
                     c10::List<std::optional<at::Scalar>>(), "");
  }

  EngineAnswer answer() const override {
    const at::Tensor dense = y_.contiguous();
    const auto* const data = static_cast<const std::uint8_t*>(dense.data_ptr());
    std::vector<std::uint8_t> bytes(data, data + dense.numel());
    // Adding 128 to an int8 number is, in the bits of a byte, adding 128 to a uint8 number.
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(byte + stored_shift(c_.output_type));
    return {{dense.sizes().vec(), std::move(bytes)}, Engine::onednn_pointwise};
  }

 private:
  ConvCase c_;
  c10::TypedOperatorHandle<ApplyPointwise> apply_;
  Integers stride_, padding_, dilation_;
  at::Tensor x_, weight_scales_, weight_zero_points_, packed_, y_;
  std::optional<at::Tensor> bias_;
};

}  // namespace

bool has_pointwise_operators() {
  const auto has = [](const std::string& name) {
    return c10::Dispatcher::singleton().findSchema({name, ""}).has_value();
  };
  return has(kPrepack) && has(operator_name(1)) && has(operator_name(2)) && has(operator_name(3));
}

std::unique_ptr<PreparedConv> prepare_pointwise_conv(const ConvProblem& problem) {
  const c10::InferenceMode inference;
  select(problem.spec.execution);
  return std::make_unique<Pointwise>(problem);
}

}  // namespace tieout
