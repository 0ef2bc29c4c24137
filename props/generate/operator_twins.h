#pragma once
// Provides for calls of operators other than convolutions what twins.h provides for convolutions: calls that differ
// from a given one in one parameter, or in one end of one input.

#include <cstddef>
#include <optional>
#include <string_view>

#include "cases/operators/operator_case.h"

namespace tieout {

// Returns the number of kinds of twins.
[[nodiscard]] std::size_t operator_twin_kinds();

// Returns what differs in a twin of the kind, such as "output scale".
[[nodiscard]] std::string_view operator_twin_name(std::size_t kind);

// Returns the twin of the case, which is valid, or nothing if it has none of this kind. c: valid, with contents.
[[nodiscard]] std::optional<OperatorCase> operator_twin_of(const OperatorCase& c, std::size_t kind);

}  // namespace tieout
