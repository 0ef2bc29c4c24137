#pragma once
// The requested hypotheses of a layer comparison, grouped by the method that evaluates them.

#include <array>
#include <cstdlib>
#include <numeric>
#include <span>
#include <vector>

#include "cases/case_predicates.h"
#include "layers/near_tie_filter.h"
#include "layers/saturating_pairs.h"
#include "oracle/hypotheses/hypothesis.h"

namespace tieout {

// True for a 1x1 convolution with a zero point if a sum of products, or the amount to subtract from it, can exceed the
// integers that float32 represents exactly. oneDNN's 1x1 code converts both to float32 first. weight: K x C x 1.
[[nodiscard]] inline bool leaves_float32(const ConvCase& c, const std::int8_t* weight) {
  constexpr std::int64_t kExact = std::int64_t{1} << 24;
  const std::int64_t length = reduction_length(c);
  const bool weight_zero_points = has_weight_zero_point(c);
  if (c.groups != 1 || volume(c.kernel) != 1 || (c.activation_zero_point == 0 && !weight_zero_points)) return false;
  if (weight_zero_points) return length * 255 * 4 * 128 > kExact;
  if (length * 255 * 128 <= kExact) return false;
  for (std::int64_t k = 0; k < c.out_channels; ++k) {
    const std::int8_t* const w = weight + k * length;
    const std::int32_t sum =
        std::accumulate(w, w + length, 0, [](std::int32_t all, std::int8_t one) { return all + std::abs(one); });
    if (std::int64_t{sum} * 255 > kExact) return true;
  }
  return false;
}

struct HypothesisGroups {
  struct Entry {
    const Hypothesis* hypothesis;
    std::size_t index;  // in the list of requested hypotheses
  };
  using Entries = std::vector<Entry>;

  // All entries, in the order of the request, then the same entries by method: `near` by the distance of the exact
  // value from a tie; `by_pairs` likewise where no pair saturates, and literally elsewhere; `activations` and
  // `float_sum` by distance, else by sums of dequantized numbers.
  Entries all;
  Entries near, by_pairs, activations, float_sum;
  Entries everywhere;  // evaluated literally at every element
  // Hypotheses that round another exact value than s, grouped by that value. A difference far from a tie is recorded
  // once for the whole group.
  enum Group : std::size_t { kNearest, kTruncated, kTwice, kGroups };
  std::array<Entries, kGroups> groups;
  bool odd_pairs = false;  // true if some of by_pairs add pairs that begin at odd places

  // weight: K x C/groups x kernel; it is read only during construction.
  HypothesisGroups(std::span<const Hypothesis* const> hypotheses, const ConvCase& c, const std::int8_t* weight) {
    using Distance = Hypothesis::Distance;
    // A sum of activations matters if it is multiplied by a weight zero point and can leave int16.
    const bool activations_leave_int16 = 255 * reduction_length(c) > 32767 && has_weight_zero_point(c);
    for (std::size_t i = 0; i < hypotheses.size(); ++i) {
      all.push_back({hypotheses[i], i});
      switch (hypotheses[i]->distance) {
        case Distance::roundings: near.push_back(all.back()); break;
        case Distance::nearest_bias: groups[kNearest].push_back(all.back()); break;
        case Distance::truncated_bias: groups[kTruncated].push_back(all.back()); break;
        case Distance::twice_rounded: groups[kTwice].push_back(all.back()); break;
        case Distance::activations: activations.push_back(all.back()); break;
        case Distance::float_sum: float_sum.push_back(all.back()); break;
        case Distance::pairs: (activations_leave_int16 ? everywhere : by_pairs).push_back(all.back()); break;
        case Distance::tap_pairs:
          (leaves_float32(c, weight) ? everywhere : by_pairs).push_back(all.back());
          odd_pairs = odd_pairs || has_odd_pairs(c);
          break;
        case Distance::anywhere: everywhere.push_back(all.back()); break;
      }
    }
  }

  // Returns the kinds of hypotheses that the filter of candidates has to cover.
  [[nodiscard]] RequiredBounds reaches() const {
    return {.activations = !activations.empty(),
            .float_sum = !float_sum.empty(),
            .nearest_bias = !groups[kNearest].empty(),
            .truncated_bias = !groups[kTruncated].empty(),
            .twice_rounded = !groups[kTwice].empty()};
  }
};

}  // namespace tieout
