#pragma once
// A finding as JSON: what a run record keeps of it, and what one process tells another.

#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "reports/finding.h"

namespace tieout {

[[nodiscard]] std::string to_json(const Finding& finding);

// The error says what is missing or of another type.
[[nodiscard]] tl::expected<Finding, std::string> finding_from_json(std::string_view text);

}  // namespace tieout
