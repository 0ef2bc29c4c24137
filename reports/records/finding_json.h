#pragma once
// Converts findings to JSON and back, for run records and for messages between processes.

#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "reports/data/finding.h"

namespace tieout {

// Returns the finding as JSON. Every number reads back to the same bits; a float that is not finite is the text "inf",
// "-inf" or "nan". Bytes that are not UTF-8 become U+FFFD.
[[nodiscard]] std::string to_json(const Finding& finding);

// Reads a finding and checks that shapes, values and elements are consistent. The error names the member and what is
// wrong with it.
[[nodiscard]] tl::expected<Finding, std::string> finding_from_json(std::string_view text);

}  // namespace tieout
