#pragma once
// Provides kernels of quantized operators with one fault each, to test the diagnosis of operators with. They run
// through the C interface as a user's kernel does (kernels/tieout_operator.h). The faults are the changes of
// oracle/variants/change_list.def, written a second time.

#include <cstdint>
#include <span>
#include <string_view>

#include "kernels/subject/subject.h"
#include "kernels/tieout_operator.h"
#include "oracle/variants/changes.h"

namespace tieout {

struct FaultyOperator {
  std::string_view name;  // the name of the variant that a diagnosis must find: "ties_away"
  Change fault;
  OperatorFunction kernel;
};

// Returns a kernel for each change, of all operators to which it applies; and for some changes a kernel that has it
// behind the last whole block of 16 elements only.
[[nodiscard]] std::span<const FaultyOperator> faulty_operators();

// Runs the kernel without a fault.
[[nodiscard]] const char* correct_operator(const tieout_operator* call);

}  // namespace tieout
