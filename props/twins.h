#pragma once
// Twins of a problem: problems that differ from it in one parameter, or in one end of one buffer. A kernel that keeps
// something from call to call under a key which lacks that parameter answers the problem after its twin with what belongs
// to the twin.

#include <cstddef>
#include <optional>
#include <string_view>

#include "cases/conv_case.h"

namespace tieout {

// How many kinds of twins there are.
[[nodiscard]] std::size_t twin_kinds();

// What a twin of the kind has another of: "activation zero point".
[[nodiscard]] std::string_view twin_name(std::size_t kind);

// The problem's twin; nothing if it has none of this kind, such as another bias where there is no bias. Valid.
[[nodiscard]] std::optional<ConvProblem> twin_of(const ConvProblem& problem, std::size_t kind);

}  // namespace tieout
