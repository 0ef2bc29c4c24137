#pragma once
// Finds the candidates of a layer: the output elements at which a requested hypothesis could give another value than
// the operator did, because the exact value is within the hypothesis' error bound (error_bounds.h) of a rounding
// boundary, or because the operator's answer is not the rounded exact value. The filter costs a few instructions per 16
// elements and discards all other elements.

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "cases/machine/cpu.h"
#include "layers/error_bounds.h"

namespace tieout {

// The kinds of hypotheses (Hypothesis::Distance) whose error bounds the filter must respect, besides `roundings` and
// `pairs`, whose bounds it always includes.
struct RequiredBounds {
  bool activations = false, float_sum = false;
  bool nearest_bias = false, truncated_bias = false, twice_rounded = false;
};

// The constants of the filter. Elements lie in the order of the output, channels last. The constants repeat every
// `period` elements, a multiple of the number of channels and of 16, so that an element's constants are found by its
// place in the period.
//
//   scaled = raw * multiplier,  value = clamp(scaled + centre, lowest, highest)    with the output's zero point
//   an element is no candidate if  |value - answer| <= limit - norm * per_norm - |scaled| * half
//
// centre: the bias, the zero point and the middle of the shifts of the requested hypotheses. limit: 1/2, less half the
// distance between the lowest and the highest shift, less the roundings for |s| <= 257; a larger |s| is a whole step
// beyond the clamp, far more than its roundings. per_norm, half: ChannelBounds::activations and float_sum,
// ChannelBounds::half.
struct NearTieTable {
  struct alignas(64) Sixteen {
    std::array<float, 16> multiplier, centre, limit, per_norm;
  };
  std::int64_t period = 0;
  std::vector<Sixteen> constants;  // period / 16 blocks
  float lowest = 0, highest = 255;
  float half = 0;
};
// Returns the constants for a layer. bounds: one entry per output channel; every element of a channel that is not
// bounds_hold becomes a candidate.
[[nodiscard]] NearTieTable near_tie_table(const ConvCase& c, std::span<const ChannelBounds> bounds,
                                          const RequiredBounds& required);

// Writes the indices of the candidates among `count` elements to `candidates`, ascending, and returns their number.
//   table:    the first element uses the first constants
//   raw:      the exact sums of (x - xz) * (w - wz)
//   answer:   the operator's output
//   norms:    for each period of elements, an upper bound of |x| over their windows
//   candidates: must have space for `count` indices
using FindCandidates = std::int64_t (*)(const NearTieTable& table, const std::int32_t* raw, const std::uint8_t* answer,
                                        std::int64_t count, const float* norms, std::uint32_t* candidates);
[[nodiscard]] FindCandidates find_candidates(SimdIsa isa);

}  // namespace tieout
