#pragma once
// Verifies one case with a subject: the reference's answer is expected, and the tolerance is zero. The functions below
// verify_subject() are also used for operators other than convolutions (props/operators/operator_subject.h).

#include <optional>

#include "cases/conv_case.h"
#include "cases/operators/operator_case.h"
#include "kernels/subject/subject.h"
#include "props/verify/reference.h"
#include "props/verify/subject_trial.h"
#include "props/verify/verdict.h"

namespace tieout {

enum class TrialMode {
  // Runs here. Whether a kernel keeps state from other problems is tested on small cases only, because that triples the
  // time.
  in_a_run,
  here,
  // Runs here, with one call, so that a dependence on conditions or on other problems is not tested.
  once,
  // Runs in a process of its own.
  alone,
};

// Verifies the case; see verify() and verify_alone(). The expected values are the reference's answer.
//
// If LibTorch's answer is known to be wrong, is refused or is absent, the expected values are the specification's for
// FBGEMM, and the model's for another engine.
//
// If another implementation is the reference and gives no answer, or another answer in a new process, the case is not
// verified: skipped if the reference declines it, unavailable if it fails. A fault of the subject that does not
// concern its values is still a finding.
[[nodiscard]] Verdict verify_subject(const ConvCase& c, const Reference& reference, Subject& subject,
                                     const Rules& rules, TrialMode where);

// Run the subject as the mode requires. problem, c: with contents; problem: with the instruction set that the reference
// uses.
[[nodiscard]] Trial run_subject(Subject& subject, const ConvProblem& problem, const Rules& rules, TrialMode where);
[[nodiscard]] Trial run_subject(Subject& subject, const OperatorCase& c, const Rules& rules, TrialMode where);

// Sets the verdict for a trial without an answer. Returns true if there is an answer to compare.
[[nodiscard]] bool set_conduct(Verdict& verdict, const Trial& trial);

// Return the answer of a reference other than LibTorch, or nothing, after the verdict has been set, if it gives none
// or, within a run, another one in a new process. trial: the subject's, which has an answer.
[[nodiscard]] std::optional<Answers> answer_of_other(Verdict& verdict, const ConvProblem& problem, Subject& reference,
                                                     const Trial& trial, const Rules& rules, TrialMode where);
[[nodiscard]] std::optional<Answers> answer_of_other(Verdict& verdict, const OperatorCase& c, Subject& reference,
                                                     const Trial& trial, const Rules& rules, TrialMode where);

}  // namespace tieout
