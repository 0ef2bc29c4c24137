#pragma once
// Does for a case of any kind what props/verify/ does for convolutions: verifies it, counts it, and shrinks its
// finding.

#include <cstdint>
#include <functional>
#include <string>

#include "cases/operators/any_case.h"
#include "props/process/forked_task.h"
#include "props/verify/outcome.h"
#include "reports/data/finding.h"

namespace tieout {

[[nodiscard]] Verdict verify_case(const AnyCase& c, const CaseSetup& setup, Placement where);

[[nodiscard]] CaseOutcome outcome_of(const AnyCase& c, const Verdict& verdict, const Reference& reference);

[[nodiscard]] CaseOutcome run_case(const AnyCase& c, const CaseSetup& setup, Placement where);

// Runs the cases of one index in this process until the subject does not decline one, at most `attempts` of them.
// case_for: returns the case of an attempt, counted from 0.
[[nodiscard]] CaseOutcome run_first_taken_case(const std::function<AnyCase(std::int64_t attempt)>& case_for,
                                               std::int64_t attempts, const CaseSetup& setup);

[[nodiscard]] CaseOutcome outcome_of_exit(const AnyCase& c, const CaseSetup& setup, const ExitReason& reason);
[[nodiscard]] CaseOutcome outcome_of_answer(const AnyCase& c, const CaseSetup& setup, const std::string& bytes);

// True for classes that cases of operators can have.
[[nodiscard]] bool of_operators(CaseClass c);

// Returns the name of what computed the expected values of a finding without tensors.
[[nodiscard]] std::string expected_name_of(const AnyCase& c);

// Shrinks the finding's case as shrink_finding() does for convolutions.
[[nodiscard]] Finding shrink_any_finding(const Finding& finding, const CaseSetup& setup, double seconds, Effort effort);

}  // namespace tieout
