#pragma once
// Verifies one case with a subject: LibTorch's answer is expected, and the tolerance is zero.

#include "cases/conv_case.h"
#include "kernels/subject/subject.h"
#include "oracle/libtorch/libtorch.h"
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

// Verifies the case; see verify() and verify_alone(). The expected values are LibTorch's answer. If that is known to be
// wrong, is refused or is absent, they are the specification's for FBGEMM, and the model's for another engine.
[[nodiscard]] Verdict verify_subject(const ConvCase& c, LibTorch& reference, Subject& subject, const Rules& rules,
                                     TrialMode where);

}  // namespace tieout
