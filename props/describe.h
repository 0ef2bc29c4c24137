#pragma once
// From the outcome of a case to a finding that says all that a reader needs, as it was drawn: reduce() makes it small.

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "props/isolated.h"
#include "props/outcome.h"
#include "reports/finding.h"

namespace tieout {

// A finding of which no more is known than the outcome: no tensors, no explanation.
[[nodiscard]] Finding undescribed(const ConvCase& c, const CaseOutcome& outcome, std::int64_t index,
                                  const Subject* subject);

// The same, verified once more for its tensors, elements and explanation. Where it does not fail again, it says so.
[[nodiscard]] Finding described(const Finding& finding, const Examination& how);

// Takes over what a process answered about the finding, as to_json() writes it. An answer that cannot be read leaves the
// finding as it was drawn, with a note of what is wrong.
void take_description(Finding& finding, const std::string& answer);

// Leaves the finding as it was drawn, with a note that the process that worked on it died. work: "reducing", "describing".
void note_death(Finding& finding, std::string_view work, const Death& death);

// Likewise those that have no explanation yet, each in a process of its own, `workers` side by side. What has not been
// described when the time is over, or dies, gets words that say so.
void describe_within(std::chrono::milliseconds time, std::span<Finding> findings, const Examination& how, int workers);

}  // namespace tieout
