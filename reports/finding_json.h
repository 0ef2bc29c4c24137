#pragma once
// A finding as JSON: what a run record keeps of it, and what one process tells another.

#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "reports/finding.h"

namespace tieout {

// Every number reads back to the same bits; a float that is not finite is the text "inf", "-inf" or "nan". Bytes that are
// not UTF-8 become U+FFFD.
[[nodiscard]] std::string to_json(const Finding& finding);

// A finding that fits together: shapes, values and elements agree. The error names the member and what is wrong with it.
[[nodiscard]] tl::expected<Finding, std::string> finding_from_json(std::string_view text);

}  // namespace tieout
