#pragma once
// Verifies a sequence of cases in one process, to reproduce faults that only occur after certain other cases.

#include <optional>
#include <vector>

#include "cases/operators/any_case.h"
#include "props/verify/outcome.h"
#include "reports/data/finding.h"

namespace tieout {

// Holds the result of the last case of a sequence.
struct SequenceEnd {
  CaseOutcome outcome;
  // Filled if is_finding(outcome), with tensors and explanation; its `before` lists the other cases.
  Finding finding;
};

// Verifies the cases in one new process, `last` at the end. Returns nothing if the process died on one of the earlier
// cases.
[[nodiscard]] std::optional<SequenceEnd> verify_after(const std::vector<AnyCase>& before, const AnyCase& last,
                                                      const CaseSetup& setup);

// Returns the finding with the fewest cases before it after which its case fails. It removes runs of cases, long ones
// first, as long as the case still fails. finding: of a case that does not fail alone. before: the cases that its
// process had verified. Returns nothing if the case does not fail after all of these either. The limit of work is a
// number of cases, so that the result is the same on every machine.
[[nodiscard]] std::optional<Finding> find_cases_before(const Finding& finding, const std::vector<AnyCase>& before,
                                                       const CaseSetup& setup);

}  // namespace tieout
