#pragma once
// Calls a linked kernel of operators on a case, without guarded buffers and in this process, for kernels that are known
// to behave, such as those of faulty_operator.h.

#include <tl/expected.hpp>

#include "cases/operators/operator_case.h"
#include "kernels/subject/subject.h"
#include "props/selftest/faulty_operator.h"

namespace tieout {

// Returns the output, or why the kernel declines. c: valid, with contents; its inputs are passed dense, in row-major
// order.
[[nodiscard]] tl::expected<OperatorOutput, SubjectError> call_operator(OperatorFunction kernel, const OperatorCase& c);

}  // namespace tieout
