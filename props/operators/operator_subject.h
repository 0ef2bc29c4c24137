#pragma once
// Verifies one case of an operator with a subject: LibTorch's answer is expected, and the tolerance is zero.
//
// If LibTorch refuses the case or gives no answer, the expected values are the specification's (kernels/operators). At
// elements where LibTorch's code departs from the specification, the specification's values are right as well, unless
// the rules are strict. A difference has the class "vector and scalar code" if the subject's values are those of
// LibTorch's other code or those of the specification; any other has the class "other arithmetic", and in a process of
// its own it names the variants of the operator (oracle/variants/) that give all of the subject's values.

#include "cases/operators/operator_case.h"
#include "kernels/subject/subject.h"
#include "props/verify/reference.h"
#include "props/verify/verdict.h"
#include "props/verify/verify_subject.h"

namespace tieout {

// The class of differences that LibTorch's codes do not explain.
inline constexpr const char* kOtherArithmetic = "other arithmetic";

// Verifies the case as verify_subject() does a convolution; another reference than LibTorch works as there. c: a valid
// case.
[[nodiscard]] Verdict verify_operator_subject(const OperatorCase& c, const Reference& reference, Subject& subject,
                                              const Rules& rules, TrialMode where);

}  // namespace tieout
