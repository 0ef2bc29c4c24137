#pragma once
// The schemas of the operators, by family. operator_schemas() joins them.

#include <vector>

#include "cases/operators/operator_case.h"

namespace tieout {

[[nodiscard]] const std::vector<OperatorSchema>& elementwise_schemas();
[[nodiscard]] const std::vector<OperatorSchema>& pooling_schemas();
[[nodiscard]] const std::vector<OperatorSchema>& joining_schemas();

}  // namespace tieout
