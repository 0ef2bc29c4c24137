#pragma once
// Provides the values that the two codes of LibTorch's operators, vector and scalar code, give at every element, and
// descriptions of differences by them.

#include <cstdint>
#include <string>
#include <vector>

#include "cases/operators/operator_case.h"
#include "oracle/engines/fbgemm_path.h"
#include "props/verify/departures.h"
#include "reports/data/finding.h"
#include "reports/data/tensor_mismatches.h"

namespace tieout {

// The values of the two codes; empty if the operator has one code.
struct BothCodes {
  std::vector<std::int32_t> vector, scalar;

  // c: valid, with contents.
  BothCodes(const OperatorCase& c, const Hardware& hardware);

  [[nodiscard]] bool exist() const { return !vector.empty(); }
};

// Returns the differing elements as a departure of `answer` from `other`.
[[nodiscard]] Departure departure_between(const Answers& answer, const std::vector<std::int32_t>& other,
                                          std::string cause);

// Returns why LibTorch's values are not those of the specification, for example "LibTorch's vector code of add rounds
// differently". answer: LibTorch's. exact: the specification's.
[[nodiscard]] std::string cause_of_departure(const OperatorCase& c, const Hardware& hardware, const Answers& answer,
                                             const std::vector<std::int32_t>& exact);

// Lists the first of the differing elements in the finding, whose tensors are set, with their predicted values before
// rounding.
void list_elements(Finding& finding, const OperatorCase& c, const Hardware& hardware, const TensorMismatches& d);

}  // namespace tieout
