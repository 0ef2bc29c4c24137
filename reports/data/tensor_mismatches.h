#pragma once
// Compares two results: which elements differ, and by how much.

#include <cstdint>
#include <vector>

#include "cases/tensor.h"

namespace tieout {

// The elements at which two tensors differ.
struct TensorMismatches {
  std::vector<std::int64_t> offsets;  // offsets of the elements that differ, row-major, ascending
  std::int64_t largest = 0;           // maximum of |actual - expected|
  std::int64_t signed_sum = 0;        // sum of actual - expected; it can be 0 although elements differ
  std::int64_t elements = 0;          // number of elements compared

  [[nodiscard]] bool equal() const { return offsets.empty(); }
  bool operator==(const TensorMismatches&) const = default;
};

// Compares two tensors of the same shape. Different shapes abort the program in every build, because an incomplete
// comparison verifies nothing; a subject that answers in another shape is reported as a finding before this call.
[[nodiscard]] TensorMismatches compare_tensors(const Answers& expected, const Answers& actual);

}  // namespace tieout
