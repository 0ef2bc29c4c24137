// The calls of the operators that compute each output element from a window of the input.

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>

#include <algorithm>

#include "oracle/libtorch/libtorch_operator_bindings.h"

namespace tieout {
namespace {

using Stack = OperatorArguments;

// Returns the name of the operator for the case's number of spatial dimensions: "aten::max_pool" and "2d".
std::string name_for(const OperatorCase& c, const char* stem) {
  return stem + std::to_string(c.inputs.front().shape.size() - 2) + "d";
}

c10::IValue numbers_of(const OperatorCase& c, const char* attribute) { return {extents(c, attribute)}; }

// Returns the case of a call whose input has a batch dimension, with the input only. name: ends with "d" behind the
// number of spatial dimensions.
std::optional<OperatorCase> captured_pool(std::string_view op, std::string_view name, const Stack& arguments,
                                          const at::Tensor& y) {
  const std::int64_t spatial = name[name.size() - 2] - '0';
  if (!is_byte_tensor(arguments[0]) || arguments[0].toTensor().dim() != spatial + 2) return {};
  return captured_case(op, {&arguments[0]}, y);
}

// Sets an attribute to a list of numbers of a call. absent: the value of an empty list.
void set_numbers(OperatorCase& c, const char* name, const c10::IValue& given, const std::vector<double>& absent) {
  std::vector<double>& values = attribute(c, name);
  values = absent;
  if (!given.isIntList()) return;
  const std::vector<std::int64_t> numbers = given.toIntVector();
  if (!numbers.empty()) values.assign(numbers.begin(), numbers.end());
}

DispatcherCall call_max_pool(const OperatorCase& c, const std::vector<at::Tensor>& x) {
  return {name_for(c, "aten::max_pool"),
          "",
          {x[0], numbers_of(c, "kernel"), numbers_of(c, "stride"), numbers_of(c, "padding"), numbers_of(c, "dilation"),
           flag(c, "ceil_mode")}};
}

std::optional<OperatorCase> captured_max_pool(std::string_view name, const Stack& arguments, const at::Tensor& y) {
  auto c = captured_pool("max_pool", name, arguments, y);
  if (!c) return {};
  set_numbers(*c, "kernel", arguments[1], {1});
  set_numbers(*c, "stride", arguments[2], attribute(*c, "kernel"));
  set_numbers(*c, "padding", arguments[3], {0});
  set_numbers(*c, "dilation", arguments[4], {1});
  attribute(*c, "ceil_mode") = {arguments[5].toBool() ? 1.0 : 0.0};
  return c;
}

DispatcherCall call_avg_pool(const OperatorCase& c, const std::vector<at::Tensor>& x) {
  DispatcherCall call{name_for(c, "aten::avg_pool"),
                      "",
                      {x[0], numbers_of(c, "kernel"), numbers_of(c, "stride"), numbers_of(c, "padding"),
                       flag(c, "ceil_mode"), !flag(c, "exclude_pad")}};
  if (c.inputs.front().shape.size() == 3) return call;  // avg_pool1d has no divisor
  const std::int64_t divisor = integer(c, "divisor");
  call.arguments.push_back(divisor == 0 ? c10::IValue() : c10::IValue(divisor));
  return call;
}

std::optional<OperatorCase> captured_avg_pool(std::string_view name, const Stack& arguments, const at::Tensor& y) {
  auto c = captured_pool("avg_pool", name, arguments, y);
  if (!c) return {};
  set_numbers(*c, "kernel", arguments[1], {1});
  set_numbers(*c, "stride", arguments[2], attribute(*c, "kernel"));
  set_numbers(*c, "padding", arguments[3], {0});
  attribute(*c, "ceil_mode") = {arguments[4].toBool() ? 1.0 : 0.0};
  attribute(*c, "exclude_pad") = {arguments[5].toBool() ? 0.0 : 1.0};
  if (arguments.size() > 6 && arguments[6].isInt()) {
    attribute(*c, "divisor") = {static_cast<double>(arguments[6].toInt())};
  }
  return c;
}

DispatcherCall call_adaptive_avg_pool(const OperatorCase& c, const std::vector<at::Tensor>& x) {
  return {name_for(c, "aten::adaptive_avg_pool"), "", {x[0], numbers_of(c, "size")}};
}

std::optional<OperatorCase> captured_adaptive_avg_pool(std::string_view name, const Stack& arguments,
                                                       const at::Tensor& y) {
  auto c = captured_pool("adaptive_avg_pool", name, arguments, y);
  if (c) set_numbers(*c, "size", arguments[1], {1});
  return c;
}

DispatcherCall call_mean(const OperatorCase& c, const std::vector<at::Tensor>& x) {
  const std::vector<double>& dims = attribute(c, "dims");
  return {"aten::mean",
          "dim",
          {x[0], std::vector<std::int64_t>(dims.begin(), dims.end()), flag(c, "keepdim"), c10::IValue()}};
}

std::optional<OperatorCase> captured_mean(std::string_view name, const Stack& arguments, const at::Tensor& y) {
  if (!is_byte_tensor(arguments[0]) || !y.is_quantized()) return {};
  OperatorCase c = captured_case("mean", {&arguments[0]}, y);
  const std::int64_t all = arguments[0].toTensor().dim();
  std::vector<double>& dims = attribute(c, "dims");
  if (name == "aten::mean.dim") {
    set_numbers(c, "dims", arguments[1], {});
    attribute(c, "keepdim") = {arguments[2].toBool() ? 1.0 : 0.0};
  }
  for (double& d : dims) d = d < 0 ? d + static_cast<double>(all) : d;
  if (dims.empty()) {  // all are averaged
    for (std::int64_t d = 0; d < all; ++d) dims.push_back(static_cast<double>(d));
  }
  return c;
}

}  // namespace

const std::vector<OperatorBinding>& pooling_bindings() {
  static const std::vector<OperatorBinding> list{
      {"max_pool",
       {"aten::max_pool1d", "aten::max_pool2d", "aten::max_pool3d", "quantized::max_pool1d", "quantized::max_pool2d",
        "aten::quantized_max_pool1d", "aten::quantized_max_pool2d", "aten::quantized_max_pool3d"},
       call_max_pool,
       captured_max_pool},
      {"avg_pool", {"aten::avg_pool1d", "aten::avg_pool2d", "aten::avg_pool3d"}, call_avg_pool, captured_avg_pool},
      {"adaptive_avg_pool",
       {"aten::adaptive_avg_pool1d", "aten::adaptive_avg_pool2d", "aten::adaptive_avg_pool3d",
        "aten::_adaptive_avg_pool2d", "aten::_adaptive_avg_pool3d"},
       call_adaptive_avg_pool,
       captured_adaptive_avg_pool},
      {"mean", {"aten::mean.dim", "aten::mean"}, call_mean, captured_mean}};
  return list;
}

}  // namespace tieout
