#pragma once
// Shrinks a failing case of an operator while it keeps failing: inputs and shape first, then how LibTorch runs, then
// values, then attributes and parameters.

#include <cstdint>
#include <functional>
#include <vector>

#include "cases/operators/operator_case.h"
#include "kernels/subject/subject.h"
#include "props/verify/reference.h"
#include "props/verify/verify.h"
#include "reports/data/finding.h"

namespace tieout {

// Limits the work. `tries` and `elements` end shrinking at the same case on every machine.
struct OperatorShrinkLimits {
  int tries = 3'000;
  // Number of elements of all tensors of all tries together.
  std::int64_t elements = 100'000'000;
  double seconds = 60;
};

// Replaces the case by simpler ones while `still_fails` holds. Returns c with its contents listed if none of them
// fails.
[[nodiscard]] OperatorCase shrink_operator_case(const OperatorCase& c,
                                                const std::function<bool(const OperatorCase&)>& still_fails,
                                                const OperatorShrinkLimits& limits = {});

// Shrinks the finding as long as its case fails with the same status, class and failure. seconds: a further limit.
// subject, rules: as for shrink_finding().
[[nodiscard]] Finding shrink_operator_finding(const Finding& finding, const Reference& reference, double seconds,
                                              Effort effort, Subject* subject = nullptr, const Rules& rules = {});

}  // namespace tieout
