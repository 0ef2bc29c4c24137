#pragma once
// Determines the classes of a case (cases/case_class_name.h). A run counts them, and a hunting run of 10,000 verified
// cases that misses one of them fails.

#include <bitset>
#include <vector>

#include "cases/case_class_name.h"
#include "cases/conv_case.h"
#include "kernels/conv_relu.h"
#include "oracle/engines/fbgemm_path.h"

namespace tieout {

using ClassSet = std::bitset<kCaseClasses>;

// True for classes that concern how LibTorch is run. Cases for a subject have none of these.
[[nodiscard]] bool of_execution(CaseClass c);

// True for classes of sums that FBGEMM's code saturates. The exact contract has none of these.
[[nodiscard]] bool of_fbgemm_code(CaseClass c);

// Returns the classes of a case. path: FBGEMM's path for it. traces: the traces of all of its elements.
[[nodiscard]] ClassSet classify(const ConvCase& c, FbgemmPath path, const std::vector<ElementTrace>& traces);

}  // namespace tieout
