#include "cases/operators/schema_list.h"

#include <algorithm>

namespace tieout {

const std::vector<const OperatorSchema*>& operator_schemas() {
  static const std::vector<const OperatorSchema*> all = [] {
    std::vector<const OperatorSchema*> list;
    for (const auto* family : {&elementwise_schemas(), &joining_schemas(), &pooling_schemas()}) {
      for (const OperatorSchema& schema : *family) list.push_back(&schema);
    }
    return list;
  }();
  return all;
}

const OperatorSchema* find_operator(std::string_view name) {
  const auto& all = operator_schemas();
  const auto found = std::ranges::find(all, name, &OperatorSchema::name);
  return found == all.end() ? nullptr : *found;
}

}  // namespace tieout
