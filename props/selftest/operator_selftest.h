#pragma once
// Tests the identification of operators: each fault of faulty_operator.h is a subject that must differ from the
// specification on some probe, and whose variant must be found.

#include <cstdint>
#include <span>
#include <vector>

#include "oracle/variants/operator_variants.h"
#include "props/selftest/faulty_operator.h"

namespace tieout {

struct OperatorHunt {
  // Number of cases until one shows a difference from the specification; 0: none does.
  std::int64_t found = 0;
  // Number of cases until the variants that remain are those that remain in the end; 0: the fault's is not among them.
  std::int64_t named = 0;
  // The variants that equal the subject on all cases, beside that of the fault.
  std::vector<OperatorVariant> alike;
};

// True if the fault was found and its variant named, and no variants are alike but LibTorch's, one of whose codes can
// have the same arithmetic, and those with the same change at another place.
[[nodiscard]] bool is_right(const OperatorHunt& hunt, const FaultyOperator& faulty);

// Runs the faulty kernel on probes of one operator (operator_probes.h). probes: at least one.
[[nodiscard]] OperatorHunt hunt_operator(const FaultyOperator& faulty, std::span<const OperatorCase> probes);

// True if the fault applies to the operator.
[[nodiscard]] bool applies(const FaultyOperator& faulty, const OperatorSchema& schema);

}  // namespace tieout
