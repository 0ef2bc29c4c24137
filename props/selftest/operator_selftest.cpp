#include "props/selftest/operator_selftest.h"

#include <algorithm>
#include <string>
#include <utility>

#include "kernels/operators/operator_kernel.h"
#include "kernels/subject/subject.h"
#include "props/identify/operator_identify.h"

namespace tieout {

OperatorHunt hunt_operator(const FaultyOperator& faulty, std::span<const OperatorCase> probes) {
  OperatorIdentifier identifier(*probes.front().schema, Hardware{});
  const auto subject = linked_operator_subject(std::string(faulty.name), faulty.kernel, nullptr);
  OperatorHunt hunt;
  std::size_t remaining = 0;
  std::int64_t number = 0;
  for (const OperatorCase& probe : probes) {
    const OperatorCase c = with_contents(probe);
    ++number;
    auto answer = subject->run_operator(c);
    if (!answer) break;
    const OperatorOutput output{std::move(*answer), c.schema->has_float_output};
    if (hunt.found == 0 && output != operator_kernel(c)) hunt.found = number;
    identifier.add(probe, output);
    const std::size_t standing = identifier.result().standing().size();
    if (standing != remaining) hunt.named = number;
    remaining = standing;
  }
  bool is_named = false;
  for (const OperatorVariant& variant : identifier.result().standing()) {
    if (variant.name == faulty.name) {
      is_named = true;
    } else {
      hunt.alike.push_back(variant);
    }
  }
  if (!is_named) hunt.named = 0;
  return hunt;
}

bool is_right(const OperatorHunt& hunt, const FaultyOperator& faulty) {
  return hunt.found > 0 && hunt.named > 0 && std::ranges::all_of(hunt.alike, [&](const OperatorVariant& variant) {
           return variant.is_libtorch || variant.changes == Changes{faulty.fault};
         });
}

bool applies(const FaultyOperator& faulty, const OperatorSchema& schema) {
  const auto entry = std::ranges::find(change_entries(), faulty.fault, &ChangeEntry::change);
  return applies(*entry, schema);
}

}  // namespace tieout
