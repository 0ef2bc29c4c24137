#pragma once
// Runs LibTorch's operators, in this process or in one of its own.

#include <tl/expected.hpp>

#include "cases/operators/operator_case.h"
#include "oracle/libtorch/libtorch.h"
#include "props/verify/reference_answer.h"

namespace tieout {

using OperatorAnswer = tl::expected<OperatorOutput, ReferenceFailure>;

// Runs LibTorch in this process, with every tensor between unmapped pages. c: valid, with contents.
[[nodiscard]] OperatorAnswer run_operator_here(const OperatorCase& c, LibTorch& reference);

// Runs LibTorch in a process of its own. seconds: time limit.
[[nodiscard]] OperatorAnswer run_operator_alone(const OperatorCase& c, LibTorch& reference, double seconds);

}  // namespace tieout
