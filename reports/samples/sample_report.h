#pragma once
// Provides invented reports for the tests of the report formats. They contain every kind of content, and the same bytes
// on every machine.

#include <string_view>
#include <tl/expected.hpp>

#include "reports/data/report.h"

namespace tieout {

// Returns a report by name:
//   nights      fourteen runs with new, known and resolved findings, one of them of 200,704 elements
//   hostile     markup, quotes, fences, control characters and broken UTF-8 in every string; crashes and refusals
//   equal       one run without differences
//   model       a model's layer and operator beside that
//   unverified  one run that verified nothing
//   broken      values that are not finite, findings without tensors, tensors of different shapes
//   many        10,000 findings
//   diagnosed   one run whose differences have two proven causes, one of them known, and one that is unexplained
// The error lists these names.
[[nodiscard]] tl::expected<Report, std::string> sample_report(std::string_view name);

}  // namespace tieout
