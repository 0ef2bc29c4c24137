#pragma once
// The comparison: which elements of two results differ, and by how much. It neither computes nor formats.

#include <cstdint>
#include <vector>

#include "cases/tensor.h"

namespace tieout {

struct Diff {
  std::vector<std::int64_t> offsets;  // positions that differ, row-major, ascending
  int largest = 0;                    // of |actual - expected|
  std::int64_t signed_sum = 0;        // of actual - expected; can be 0 while elements differ
  std::int64_t elements = 0;          // compared

  [[nodiscard]] bool equal() const { return offsets.empty(); }
  bool operator==(const Diff&) const = default;
};

// Both of the same shape: a subject that answers in another shape is a finding of its own, found before this. Aborts
// otherwise, in every build, because a comparison with holes verifies nothing.
[[nodiscard]] Diff diff(const Tensor<std::uint8_t>& expected, const Tensor<std::uint8_t>& actual);

}  // namespace tieout
