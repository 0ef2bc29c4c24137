#pragma once
// Case lines that come from a record: whether they are cases, and the case itself where it is small enough to be computed
// with for a report.

#include <cstdint>
#include <optional>
#include <string_view>

#include "cases/conv_case.h"

namespace tieout {

// True if the line reads as a case. Of lines whose lists would take much memory only the characters are looked at.
[[nodiscard]] bool is_case_line(std::string_view line);

// The case, where activation, weight and output hold at most `most` elements together; nothing where they hold more, or
// where the line is not a case. Costs time and memory in proportion to `most` and to the length of the line.
[[nodiscard]] std::optional<ConvCase> small_case(std::string_view line, std::int64_t most);

}  // namespace tieout
