#pragma once
// States for each operator of operator_schemas() how LibTorch's operator is called with a case, and how a call by a
// model is made a case.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cases/operators/operator_case.h"

namespace at {
class Tensor;
}
namespace c10 {
struct IValue;
}

namespace tieout {

using OperatorArguments = std::vector<c10::IValue>;

// A call through the dispatcher.
struct DispatcherCall {
  std::string name;
  std::string overload;
  OperatorArguments arguments;
};

struct OperatorBinding {
  std::string_view operator_name;  // as its schema has it
  // The names by which models call it, with their namespaces and overloads, such as "aten::mean.dim".
  std::vector<std::string_view> names;
  // Returns the call. inputs: the case's, as tensors.
  DispatcherCall (*call)(const OperatorCase& c, const std::vector<at::Tensor>& inputs);
  // Returns the case of a call with its inputs' contents, or nothing if the call is of a kind that the case cannot
  // express. name: one of `names`. arguments: all of the operator's schema.
  std::optional<OperatorCase> (*captured)(std::string_view name, const OperatorArguments& arguments,
                                          const at::Tensor& output);
};

// The bindings by family.
[[nodiscard]] const std::vector<OperatorBinding>& elementwise_bindings();
[[nodiscard]] const std::vector<OperatorBinding>& joining_bindings();
[[nodiscard]] const std::vector<OperatorBinding>& pooling_bindings();

// Returns the bindings of all operators.
[[nodiscard]] const std::vector<OperatorBinding>& operator_bindings();
[[nodiscard]] const OperatorBinding& binding_of(const OperatorSchema& schema);

// True for a quantized tensor of uint8 with one scale.
[[nodiscard]] bool is_byte_tensor(const c10::IValue& value);

// Returns a case of the operator with these inputs: shapes, parameters, distances in memory and contents; the output's
// parameters are those of y, the attributes have their default values.
[[nodiscard]] OperatorCase captured_case(std::string_view operator_name, const std::vector<const c10::IValue*>& inputs,
                                         const at::Tensor& y);

}  // namespace tieout
