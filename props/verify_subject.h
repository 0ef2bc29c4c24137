#pragma once
// One case verified with a subject: what LibTorch answers is expected, the tolerance is zero.

#include "kernels/subject.h"
#include "props/verify.h"

namespace tieout {

enum class TrialMode {
  in_a_run,  // here; what a kernel keeps from other problems is sought on small ones only: it takes three times as long
  here,
  once,   // here; the subject is called once, so that a dependence on conditions or on other problems does not show
  alone,  // in a process of its own
};

// See verify() and verify_alone(). expected: LibTorch's answer; where it is known to be wrong, to refuse or to be absent,
// the specification's for FBGEMM, its model's for another engine.
[[nodiscard]] Verdict verify_subject(const ConvCase& c, LibTorch& reference, Subject& subject, const Rules& rules,
                                     TrialMode where);

}  // namespace tieout
