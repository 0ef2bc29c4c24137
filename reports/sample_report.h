#pragma once
// Made-up reports for the tests of the sinks: every kind of content, and the same bytes on every machine.

#include <string_view>
#include <tl/expected.hpp>

#include "reports/report.h"

namespace tieout {

// nights    fourteen runs with new, known and gone findings, one of them of 200,704 elements
// hostile   markup, quotes, fences, control characters and broken UTF-8 wherever a string can stand; crashes and refusals
// equal     one run, nothing differs
// vain      one run that verified nothing
// broken    values that are not finite, findings that could not be described, tensors that do not fit each other
// many      10,000 findings
// An error names these.
[[nodiscard]] tl::expected<Report, std::string> sample_report(std::string_view name);

}  // namespace tieout
