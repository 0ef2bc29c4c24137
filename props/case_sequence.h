#pragma once
// Cases that one process verifies one after the other, for faults that show only after certain other cases.

#include <optional>
#include <vector>

#include "cases/conv_case.h"
#include "props/outcome.h"
#include "reports/finding.h"

namespace tieout {

// What came of the last case of a sequence.
struct SequenceEnd {
  CaseOutcome outcome;
  Finding finding;  // where is_finding(outcome), with tensors and explanation; its `before` names the other cases
};

// Verifies the cases in one new process, `last` at the end. Nothing if the process died on one of those before it.
[[nodiscard]] std::optional<SequenceEnd> verify_after(const std::vector<ConvCase>& before, const ConvCase& last,
                                                      const Examination& how);

// The finding with the fewest cases before it that let it fail: removes runs of cases, long ones first, while it does.
// finding: of a case that does not fail alone. before: what its process had verified. Nothing if it does not fail after
// all of these either. The work is limited by the number of cases, so that the result is the same on every machine.
[[nodiscard]] std::optional<Finding> find_cases_before(const Finding& finding, const std::vector<ConvCase>& before,
                                                       const Examination& how);

}  // namespace tieout
