#pragma once
// Checks case lines that come from a record, and reads those that are small enough to be computed for a report.

#include <cstdint>
#include <optional>
#include <string_view>

#include "cases/operators/any_case.h"

namespace tieout {

// Returns true if the line is a case. Lines whose lists would take much memory are only checked for their characters.
[[nodiscard]] bool is_case_line(std::string_view line);

// Returns the case if its inputs, with the weight, and its output have at most `most` elements together; nothing if
// they have more or the line is no case. Takes time and memory in proportion to `most` and to the length of the line.
[[nodiscard]] std::optional<AnyCase> small_case(std::string_view line, std::int64_t most);

}  // namespace tieout
