#pragma once
// Verifies one case with a subject: the reference's answer is expected, and the tolerance is zero.

#include "cases/conv_case.h"
#include "kernels/subject/subject.h"
#include "props/verify/reference.h"
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

}  // namespace tieout
