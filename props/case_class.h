#pragma once
// Which classes a case is of. A run counts them, and a hunting run of 10,000 verified cases that misses one is a failed run.

#include <bitset>
#include <vector>

#include "cases/case_class_name.h"
#include "cases/conv_case.h"
#include "kernels/conv_relu.h"
#include "oracle/fbgemm_path.h"

namespace tieout {

using ClassSet = std::bitset<kCaseClasses>;

// Whether it is about how LibTorch is run: cases for a subject have none of these.
[[nodiscard]] bool of_execution(CaseClass c);

// traces: of every element of the case. path: FBGEMM's.
[[nodiscard]] ClassSet classify(const ConvCase& c, FbgemmPath path, const std::vector<ElementTrace>& traces);

}  // namespace tieout
