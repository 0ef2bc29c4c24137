// The calls of the operators that join tensors.

#include <ATen/core/List.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>

#include <algorithm>

#include "oracle/libtorch/libtorch_operator_bindings.h"

namespace tieout {
namespace {

DispatcherCall call_cat(const OperatorCase& c, const std::vector<at::Tensor>& x) {
  return {flag(c, "relu") ? "quantized::cat_relu" : "quantized::cat",
          "",
          {c10::List<at::Tensor>(x), integer(c, "dim"), c.output.scale, c.output.zero_point}};
}

std::optional<OperatorCase> captured_cat(std::string_view name, const OperatorArguments& arguments,
                                         const at::Tensor& y) {
  if (!arguments[0].isTensorList() || !arguments[1].isInt()) return {};
  std::vector<c10::IValue> inputs;
  for (const at::Tensor& x : arguments[0].toTensorVector()) inputs.emplace_back(x);
  if (inputs.empty() || !std::ranges::all_of(inputs, is_byte_tensor)) return {};
  std::vector<const c10::IValue*> pointers;
  for (const c10::IValue& input : inputs) pointers.push_back(&input);
  OperatorCase c = captured_case("cat", pointers, y);
  // aten::cat counts a negative dimension from the end before it selects its code.
  const std::int64_t dim = arguments[1].toInt();
  const bool is_counted = name == "aten::cat" && dim < 0;
  attribute(c, "dim") = {static_cast<double>(is_counted ? dim + y.dim() : dim)};
  attribute(c, "relu") = {name == "quantized::cat_relu" ? 1.0 : 0.0};
  return c;
}

}  // namespace

const std::vector<OperatorBinding>& joining_bindings() {
  static const std::vector<OperatorBinding> list{
      {"cat", {"quantized::cat", "quantized::cat_relu", "aten::cat"}, call_cat, captured_cat}};
  return list;
}

}  // namespace tieout
