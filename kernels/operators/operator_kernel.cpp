#include "kernels/operators/operator_kernel.h"

#include <algorithm>
#include <cstdlib>

#include "kernels/operators/elementwise_kernels.h"
#include "kernels/operators/joining_kernels.h"
#include "kernels/operators/pooling_kernels.h"

namespace tieout {

OperatorOutput operator_kernel(const OperatorCase& c) {
  for (const auto family : {elementwise_kernels(), joining_kernels(), pooling_kernels()}) {
    const auto found = std::ranges::find(family, c.schema->name, &OperatorKernel::name);
    if (found != family.end()) return found->compute(c);
  }
  std::abort();  // every schema has a kernel, which a test checks
}

}  // namespace tieout
