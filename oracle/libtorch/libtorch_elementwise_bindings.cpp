// The calls of the operators that compute each output element from one element of each input.

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <array>

#include "oracle/libtorch/libtorch_operator_bindings.h"

namespace tieout {
namespace {

using Stack = OperatorArguments;

// Returns a case of the operator with the inputs and the output parameters of a call.
OperatorCase case_of(std::string_view name, std::initializer_list<const c10::IValue*> inputs, const at::Tensor& y) {
  return captured_case(name, {inputs.begin(), inputs.end()}, y);
}

bool ends_with_relu(std::string_view name) { return name.ends_with("_relu"); }

// ---- add, mul

DispatcherCall call_pair(const char* plain, const char* with_relu, const OperatorCase& c,
                         const std::vector<at::Tensor>& x) {
  return {flag(c, "relu") ? with_relu : plain, "", {x[0], x[1], c.output.scale, c.output.zero_point}};
}
DispatcherCall call_add(const OperatorCase& c, const std::vector<at::Tensor>& x) {
  return call_pair("quantized::add", "quantized::add_relu", c, x);
}
DispatcherCall call_mul(const OperatorCase& c, const std::vector<at::Tensor>& x) {
  return call_pair("quantized::mul", "quantized::mul_relu", c, x);
}

std::optional<OperatorCase> captured_pair(std::string_view op, std::string_view name, const Stack& arguments,
                                          const at::Tensor& y) {
  if (!is_byte_tensor(arguments[0]) || !is_byte_tensor(arguments[1])) return {};
  OperatorCase c = case_of(op, {&arguments[0], &arguments[1]}, y);
  attribute(c, "relu") = {ends_with_relu(name) ? 1.0 : 0.0};
  return c;
}
std::optional<OperatorCase> captured_add(std::string_view name, const Stack& arguments, const at::Tensor& y) {
  return captured_pair("add", name, arguments, y);
}
std::optional<OperatorCase> captured_mul(std::string_view name, const Stack& arguments, const at::Tensor& y) {
  return captured_pair("mul", name, arguments, y);
}

// ---- a tensor and a number

DispatcherCall call_scalar(const char* plain, const char* with_relu, const OperatorCase& c,
                           const std::vector<at::Tensor>& x) {
  return {flag(c, "relu") ? with_relu : plain, "", {x[0], c10::Scalar(number(c, "value"))}};
}
DispatcherCall call_add_scalar(const OperatorCase& c, const std::vector<at::Tensor>& x) {
  return call_scalar("quantized::add_scalar", "quantized::add_scalar_relu", c, x);
}
DispatcherCall call_mul_scalar(const OperatorCase& c, const std::vector<at::Tensor>& x) {
  return call_scalar("quantized::mul_scalar", "quantized::mul_scalar_relu", c, x);
}

std::optional<OperatorCase> captured_scalar(std::string_view op, std::string_view name, const Stack& arguments,
                                            const at::Tensor& y) {
  if (!is_byte_tensor(arguments[0]) || !arguments[1].isScalar()) return {};
  OperatorCase c = case_of(op, {&arguments[0]}, y);
  attribute(c, "value") = {arguments[1].toScalar().toDouble()};
  attribute(c, "relu") = {name.find("_relu") != std::string_view::npos ? 1.0 : 0.0};
  return c;
}
std::optional<OperatorCase> captured_add_scalar(std::string_view name, const Stack& arguments, const at::Tensor& y) {
  return captured_scalar("add_scalar", name, arguments, y);
}
std::optional<OperatorCase> captured_mul_scalar(std::string_view name, const Stack& arguments, const at::Tensor& y) {
  return captured_scalar("mul_scalar", name, arguments, y);
}

// ---- one input

std::optional<OperatorCase> captured_one(std::string_view op, const Stack& arguments, const at::Tensor& y) {
  if (!is_byte_tensor(arguments[0])) return {};
  return case_of(op, {&arguments[0]}, y);
}

DispatcherCall call_hardswish(const OperatorCase& c, const std::vector<at::Tensor>& x) {
  return {"quantized::hardswish", "", {x[0], c.output.scale, c.output.zero_point}};
}
std::optional<OperatorCase> captured_hardswish(std::string_view, const Stack& arguments, const at::Tensor& y) {
  return captured_one("hardswish", arguments, y);
}

DispatcherCall call_hardsigmoid(const OperatorCase&, const std::vector<at::Tensor>& x) {
  return {"aten::hardsigmoid", "", {x[0]}};
}
std::optional<OperatorCase> captured_hardsigmoid(std::string_view, const Stack& arguments, const at::Tensor& y) {
  return captured_one("hardsigmoid", arguments, y);
}

DispatcherCall call_leaky_relu(const OperatorCase& c, const std::vector<at::Tensor>& x) {
  return {
      "quantized::leaky_relu", "", {x[0], c10::Scalar(number(c, "slope")), false, c.output.scale, c.output.zero_point}};
}
std::optional<OperatorCase> captured_leaky_relu(std::string_view, const Stack& arguments, const at::Tensor& y) {
  auto c = captured_one("leaky_relu", arguments, y);
  if (c) attribute(*c, "slope") = {arguments[1].toScalar().to<float>()};
  return c;
}

DispatcherCall call_relu(const OperatorCase&, const std::vector<at::Tensor>& x) { return {"aten::relu", "", {x[0]}}; }
std::optional<OperatorCase> captured_relu(std::string_view, const Stack& arguments, const at::Tensor& y) {
  return captured_one("relu", arguments, y);
}

DispatcherCall call_clamp(const OperatorCase& c, const std::vector<at::Tensor>& x) {
  return {"aten::clamp", "", {x[0], c10::Scalar(number(c, "min")), c10::Scalar(number(c, "max"))}};
}
std::optional<OperatorCase> captured_clamp(std::string_view name, const Stack& arguments, const at::Tensor& y) {
  auto c = captured_one("clamp", arguments, y);
  if (!c || name == "aten::relu6" || name == "quantized::relu6") return c;
  // A clamp without one of its bounds is not described by the case.
  if (arguments.size() < 3 || !arguments[1].isScalar() || !arguments[2].isScalar()) return {};
  attribute(*c, "min") = {arguments[1].toScalar().to<float>()};
  attribute(*c, "max") = {arguments[2].toScalar().to<float>()};
  return c;
}

// aten::sigmoid has fixed parameters.
DispatcherCall call_sigmoid(const OperatorCase& c, const std::vector<at::Tensor>& x) {
  if (c.output == Quantization{.scale = 1.0 / 256, .zero_point = 0}) return {"aten::sigmoid", "", {x[0]}};
  return {"quantized::sigmoid", "", {x[0], c.output.scale, c.output.zero_point}};
}
std::optional<OperatorCase> captured_sigmoid(std::string_view, const Stack& arguments, const at::Tensor& y) {
  return captured_one("sigmoid", arguments, y);
}

// ---- batch_norm

constexpr std::array kChannelNumbers{"weight", "bias", "mean", "var"};

at::Tensor float_tensor(const std::vector<double>& values) {
  at::Tensor t = at::empty({std::ssize(values)}, at::kFloat);
  std::ranges::copy(values, t.mutable_data_ptr<float>());
  return t;
}

DispatcherCall call_batch_norm(const OperatorCase& c, const std::vector<at::Tensor>& x) {
  DispatcherCall call{flag(c, "relu") ? "quantized::batch_norm_relu" : "quantized::batch_norm", "", {x[0]}};
  for (const char* name : kChannelNumbers) call.arguments.emplace_back(float_tensor(attribute(c, name)));
  call.arguments.insert(call.arguments.end(), {number(c, "eps"), c.output.scale, c.output.zero_point});
  return call;
}

std::optional<OperatorCase> captured_batch_norm(std::string_view name, const Stack& arguments, const at::Tensor& y) {
  auto c = captured_one("batch_norm", arguments, y);
  if (!c) return {};
  for (std::size_t i = 0; i < kChannelNumbers.size(); ++i) {
    const c10::IValue& given = arguments[i + 1];
    if (!given.isTensor() || given.toTensor().scalar_type() != at::kFloat) return {};
    const at::Tensor numbers = given.toTensor().contiguous();
    const float* const data = numbers.const_data_ptr<float>();
    attribute(*c, kChannelNumbers[i]).assign(data, data + numbers.numel());
  }
  attribute(*c, "eps") = {static_cast<float>(arguments[5].toDouble())};
  attribute(*c, "relu") = {ends_with_relu(name) ? 1.0 : 0.0};
  return c;
}

// ---- quantize, dequantize

DispatcherCall call_quantize(const OperatorCase& c, const std::vector<at::Tensor>& x) {
  return {"aten::quantize_per_tensor", "", {x[0], c.output.scale, c.output.zero_point, at::kQUInt8}};
}
std::optional<OperatorCase> captured_quantize(std::string_view, const Stack& arguments, const at::Tensor& y) {
  if (!arguments[0].isTensor() || arguments[0].toTensor().scalar_type() != at::kFloat) return {};
  if (!is_byte_tensor(c10::IValue(y))) return {};
  return case_of("quantize", {&arguments[0]}, y);
}

DispatcherCall call_dequantize(const OperatorCase&, const std::vector<at::Tensor>& x) {
  return {"aten::dequantize", "self", {x[0]}};
}
std::optional<OperatorCase> captured_dequantize(std::string_view, const Stack& arguments, const at::Tensor& y) {
  return captured_one("dequantize", arguments, y);
}

}  // namespace

const std::vector<OperatorBinding>& elementwise_bindings() {
  static const std::vector<OperatorBinding> list{
      {"add", {"quantized::add", "quantized::add_relu"}, call_add, captured_add},
      {"mul", {"quantized::mul", "quantized::mul_relu"}, call_mul, captured_mul},
      {"add_scalar",
       {"quantized::add_scalar", "quantized::add_scalar_relu", "quantized::add.Scalar", "quantized::add_relu.Scalar"},
       call_add_scalar,
       captured_add_scalar},
      {"mul_scalar",
       {"quantized::mul_scalar", "quantized::mul_scalar_relu", "quantized::mul.Scalar", "quantized::mul_relu.Scalar"},
       call_mul_scalar,
       captured_mul_scalar},
      {"hardswish", {"quantized::hardswish"}, call_hardswish, captured_hardswish},
      {"hardsigmoid", {"aten::hardsigmoid", "aten::hardsigmoid_"}, call_hardsigmoid, captured_hardsigmoid},
      {"leaky_relu", {"quantized::leaky_relu"}, call_leaky_relu, captured_leaky_relu},
      {"relu", {"aten::relu", "aten::relu_"}, call_relu, captured_relu},
      {"clamp", {"aten::clamp", "aten::hardtanh", "aten::relu6", "quantized::relu6"}, call_clamp, captured_clamp},
      {"sigmoid", {"quantized::sigmoid", "aten::sigmoid"}, call_sigmoid, captured_sigmoid},
      {"batch_norm",
       {"quantized::batch_norm", "quantized::batch_norm_relu", "quantized::batch_norm1d",
        "quantized::batch_norm1d_relu", "quantized::batch_norm2d", "quantized::batch_norm2d_relu",
        "quantized::batch_norm3d", "quantized::batch_norm3d_relu"},
       call_batch_norm,
       captured_batch_norm},
      {"quantize",
       {"aten::quantize_per_tensor", "aten::quantize_per_tensor.tensor_qparams"},
       call_quantize,
       captured_quantize},
      {"dequantize", {"aten::dequantize.self"}, call_dequantize, captured_dequantize}};
  return list;
}

}  // namespace tieout
