#pragma once
// Computes statistics of the differing elements of two tensors: how they are distributed, and where they are.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "cases/tensor.h"

namespace tieout {

// The indices along one dimension at which at least one element differs.
struct TouchedDimension {
  std::string name;  // "image", "channel", "depth", "row", "column"
  std::int64_t extent = 0;
  std::vector<std::int64_t> indices;  // ascending

  bool operator==(const TouchedDimension&) const = default;
};

struct MismatchStatistics {
  std::int64_t differing = 0;                      // number of elements that differ
  std::map<std::int64_t, std::int64_t> histogram;  // number of elements by actual - expected, without the equal ones
  double signed_mean = 0;                          // mean of the differing elements, output units; 0 if there are none
  std::int64_t worst = -1;                // offset of the first of the largest differences; -1 if there are none
  std::vector<TouchedDimension> touched;  // outermost first

  bool operator==(const MismatchStatistics&) const = default;
};

// Computes the statistics of two tensors of the same shape, which must be N x C x [[D x] H x] W for the names of
// dimensions to be right. Aborts as compare_tensors() does if the shapes differ.
[[nodiscard]] MismatchStatistics mismatch_statistics(const Answers& expected, const Answers& actual);

// Returns ascending numbers as ranges: "0, 3-5, 9".
[[nodiscard]] std::string ranges_text(const std::vector<std::int64_t>& ascending);

}  // namespace tieout
