// The calls of the operators that compute each output element from one element of each input.

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>

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

OperatorCall call_pair(const char* plain, const char* with_relu, const OperatorCase& c,
                       const std::vector<at::Tensor>& x) {
  return {flag(c, "relu") ? with_relu : plain, "", {x[0], x[1], c.output.scale, c.output.zero_point}};
}
OperatorCall call_add(const OperatorCase& c, const std::vector<at::Tensor>& x) {
  return call_pair("quantized::add", "quantized::add_relu", c, x);
}
OperatorCall call_mul(const OperatorCase& c, const std::vector<at::Tensor>& x) {
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

// ---- one input

std::optional<OperatorCase> captured_one(std::string_view op, const Stack& arguments, const at::Tensor& y) {
  if (!is_byte_tensor(arguments[0])) return {};
  return case_of(op, {&arguments[0]}, y);
}

OperatorCall call_hardswish(const OperatorCase& c, const std::vector<at::Tensor>& x) {
  return {"quantized::hardswish", "", {x[0], c.output.scale, c.output.zero_point}};
}
std::optional<OperatorCase> captured_hardswish(std::string_view, const Stack& arguments, const at::Tensor& y) {
  return captured_one("hardswish", arguments, y);
}

OperatorCall call_hardsigmoid(const OperatorCase&, const std::vector<at::Tensor>& x) {
  return {"aten::hardsigmoid", "", {x[0]}};
}
std::optional<OperatorCase> captured_hardsigmoid(std::string_view, const Stack& arguments, const at::Tensor& y) {
  return captured_one("hardsigmoid", arguments, y);
}

OperatorCall call_leaky_relu(const OperatorCase& c, const std::vector<at::Tensor>& x) {
  return {
      "quantized::leaky_relu", "", {x[0], c10::Scalar(number(c, "slope")), false, c.output.scale, c.output.zero_point}};
}
std::optional<OperatorCase> captured_leaky_relu(std::string_view, const Stack& arguments, const at::Tensor& y) {
  auto c = captured_one("leaky_relu", arguments, y);
  if (c) attribute(*c, "slope") = {arguments[1].toScalar().to<float>()};
  return c;
}

OperatorCall call_relu(const OperatorCase&, const std::vector<at::Tensor>& x) { return {"aten::relu", "", {x[0]}}; }
std::optional<OperatorCase> captured_relu(std::string_view, const Stack& arguments, const at::Tensor& y) {
  return captured_one("relu", arguments, y);
}

OperatorCall call_clamp(const OperatorCase& c, const std::vector<at::Tensor>& x) {
  return {"aten::clamp", "", {x[0], c10::Scalar(number(c, "min")), c10::Scalar(number(c, "max"))}};
}
std::optional<OperatorCase> captured_clamp(std::string_view name, const Stack& arguments, const at::Tensor& y) {
  auto c = captured_one("clamp", arguments, y);
  if (!c || name == "aten::relu6") return c;
  // A clamp without one of its bounds is not described by the case.
  if (arguments.size() < 3 || !arguments[1].isScalar() || !arguments[2].isScalar()) return {};
  attribute(*c, "min") = {arguments[1].toScalar().to<float>()};
  attribute(*c, "max") = {arguments[2].toScalar().to<float>()};
  return c;
}

}  // namespace

const std::vector<OperatorBinding>& elementwise_bindings() {
  static const std::vector<OperatorBinding> list{
      {"add", {"quantized::add", "quantized::add_relu"}, call_add, captured_add},
      {"mul", {"quantized::mul", "quantized::mul_relu"}, call_mul, captured_mul},
      {"hardswish", {"quantized::hardswish"}, call_hardswish, captured_hardswish},
      {"hardsigmoid", {"aten::hardsigmoid", "aten::hardsigmoid_"}, call_hardsigmoid, captured_hardsigmoid},
      {"leaky_relu", {"quantized::leaky_relu"}, call_leaky_relu, captured_leaky_relu},
      {"relu", {"aten::relu", "aten::relu_"}, call_relu, captured_relu},
      {"clamp", {"aten::clamp", "aten::hardtanh", "aten::relu6"}, call_clamp, captured_clamp}};
  return list;
}

}  // namespace tieout
