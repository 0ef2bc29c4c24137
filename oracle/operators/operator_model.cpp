#include "oracle/operators/operator_model.h"

#include <algorithm>
#include <cstdlib>

#include "oracle/operators/elementwise_models.h"
#include "oracle/operators/joining_models.h"
#include "oracle/operators/pooling_models.h"
#include "oracle/operators/tensor_iteration.h"

namespace tieout {

std::string_view predicted_refusal(const OperatorCase& c) {
  if (c.schema->name != "mean" || flag(c, "keepdim")) return {};
  // The code for innermost dimensions gives the output the layout of the input, whatever its number of dimensions.
  const Shape &shape = c.inputs.front().shape, strides = strides_of(c, 0);
  const bool channels_last = suggested_format(shape, strides) == MemoryFormat::channels_last;
  return averages_rows(c) && channels_last ? "an output of fewer dimensions cannot be channels-last" : "";
}

OperatorOutput predict_operator(const OperatorCase& c, const Hardware& hardware) {
  for (const auto family : {elementwise_models(), joining_models(), pooling_models()}) {
    const auto found = std::ranges::find(family, c.schema->name, &OperatorModel::name);
    if (found != family.end()) return found->predict(c, hardware);
  }
  std::abort();  // every schema has a model, which a test checks
}

}  // namespace tieout
