#pragma once
// Lists the operators of exported programs that are run. An operator that is not listed could read files, use random
// numbers or access memory outside of its tensors; each that is listed is a function of its arguments.

#include <string_view>

namespace tieout {

inline constexpr const char* kUnknownOperator =
    "the operator is none of those that Tieout runs (docs/export.md#operators); export the part of the model that "
    "precedes it, or ask for it to be added";

// True if the operator, for example "aten.conv2d.default", may be called with arguments of an exported program.
[[nodiscard]] bool is_known_operator(std::string_view op);

// True for operators that compute nothing and only assert what the export has assumed.
[[nodiscard]] bool asserts_only(std::string_view op);

}  // namespace tieout
