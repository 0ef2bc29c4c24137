#pragma once
// A finding as JSON, and back, without losing a bit: what one process tells another.

#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "reports/finding.h"

namespace tieout {

[[nodiscard]] std::string finding_json(const Finding& finding);

// What finding_json() wrote; or why the text is not that.
[[nodiscard]] tl::expected<Finding, std::string> parse_finding_json(std::string_view text);

}  // namespace tieout
