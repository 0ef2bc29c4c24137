#pragma once
// Runs LibTorch's quantized operators on cases, and recognizes their calls by a model.

#include <optional>
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

// Runs the case's operator. Throws what LibTorch throws.
[[nodiscard]] OperatorOutput call_operator(const OperatorCase& c);

// Returns the call of an operator as a case with listed contents, or nothing if it is none of the operators of
// operator_schemas(), or is called in a way that these do not describe. name: as the dispatcher has it, with its
// namespace, for example "quantized::add". overload: for example "out", or empty. arguments: of the call, all that the
// operator's schema has, with the contents from before the call, which operators such as aten::relu_ overwrite.
// output: its result.
[[nodiscard]] std::optional<OperatorCase> captured_operator(std::string_view name, std::string_view overload,
                                                            const std::vector<c10::IValue>& arguments,
                                                            const c10::IValue& output);

// True if captured_operator() may return a case for a call of that name.
[[nodiscard]] bool may_capture(std::string_view name);

// Returns the values of a tensor in row-major order: bytes of a quantized tensor, the bits of a float tensor.
[[nodiscard]] OperatorOutput output_of(const at::Tensor& y);

}  // namespace tieout
