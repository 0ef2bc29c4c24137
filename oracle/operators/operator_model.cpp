#include "oracle/operators/operator_model.h"

#include <algorithm>
#include <cstdlib>

#include "oracle/operators/elementwise_models.h"

namespace tieout {

OperatorOutput predict_operator(const OperatorCase& c) {
  for (const auto family : {elementwise_models()}) {
    const auto found = std::ranges::find(family, c.schema->name, &OperatorModel::name);
    if (found != family.end()) return found->predict(c);
  }
  std::abort();  // every schema has a model, which a test checks
}

}  // namespace tieout
