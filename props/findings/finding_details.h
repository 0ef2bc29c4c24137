#pragma once
// Turns the outcome of a case into a finding that a reader can understand without rerunning it. The case stays as it
// was drawn; shrink_finding() shrinks it.

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "cases/operators/any_case.h"
#include "props/process/forked_task.h"
#include "props/verify/outcome.h"
#include "reports/data/finding.h"

namespace tieout {

// Returns a finding that holds the outcome only, without tensors and explanation.
[[nodiscard]] Finding undescribed(const AnyCase& c, const CaseOutcome& outcome, std::int64_t index,
                                  const CaseSetup& setup);

// Verifies the finding's case again and returns it with tensors, elements and explanation. If the case does not fail
// again, `undescribed` states that.
[[nodiscard]] Finding described(const Finding& finding, const CaseSetup& setup);

// Takes over a process' answer about the finding, in the format of to_json(). If the answer cannot be read, the finding
// stays as it was drawn, with a note of what is wrong.
void take_description(Finding& finding, const std::string& answer);

// Notes in the finding, which stays as it was drawn, that the process that worked on it died. work: "shrinking" or
// "describing".
void note_exit(Finding& finding, std::string_view work, const ExitReason& reason);

// Describes the findings that have no explanation yet, each in a process of its own, `workers` at a time. A finding
// that is not described when the time is over, or whose process dies, gets a note of that.
void describe_within(std::chrono::milliseconds time, std::span<Finding> findings, const CaseSetup& setup, int workers);

}  // namespace tieout
