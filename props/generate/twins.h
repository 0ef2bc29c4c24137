#pragma once
// Provides twins of a problem: problems that differ from it in one parameter, or in one end of one buffer. A kernel
// that caches data from call to call under a key that lacks this parameter answers the problem after its twin with the
// twin's data.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "cases/conv_case.h"

namespace tieout {

// Returns the number of kinds of twins.
[[nodiscard]] std::size_t twin_kinds();

// Returns what differs in a twin of the kind, such as "activation zero point".
[[nodiscard]] std::string_view twin_name(std::size_t kind);

// Returns the name with an article, such as "another bias" or "other weights".
[[nodiscard]] std::string another(std::string_view twin_name);

// Returns the problem's twin, which is valid, or nothing if it has none of this kind, such as another bias where there
// is no bias.
[[nodiscard]] std::optional<ConvProblem> twin_of(const ConvProblem& problem, std::size_t kind);

}  // namespace tieout
