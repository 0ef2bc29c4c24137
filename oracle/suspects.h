#pragma once
// The elements of a layer at which anybody who is near the exact value could say otherwise than the operator answered. All
// others take a handful of instructions, 16 of them at a time.

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "oracle/channel_bounds.h"
#include "oracle/vector_isa.h"

namespace tieout {

// Whose reach counts.
struct AskedFor {
  bool exact = false;  // roundings, pairs: anybody who stays beside s
  bool activations = false, float_sum = false;
  bool nearest_bias = false, truncated_bias = false, twice_rounded = false;
};

// Elements lie as the output does, channels last. Constants repeat every `period` elements, which is a multiple of the
// channels and of 16, so that an element's constants are those at its place in the period.
//
//   scaled = raw * multiplier,  value = clamp(scaled + centre, lowest, highest)    with the output's zero point
//   an element is none where  |value - answer| <= limit - norm * per_norm - |scaled| * half
//
// centre: the middle of all shifts that are asked for. limit: 1/2, less half of what they lie apart, less the reach of
// roundings for |s| <= 257; what is larger lies a whole step beyond the clamp, which is far more than its roundings.
struct SuspectTable {
  struct alignas(64) Sixteen {
    std::array<float, 16> multiplier, centre, limit, per_norm;
  };
  std::int64_t period = 0;
  std::vector<Sixteen> constants;  // period / 16
  float lowest = 0, highest = 255;
  float half = 0;
};
// bounds: all of them tame, or their elements are suspects throughout.
[[nodiscard]] SuspectTable suspect_table(const ConvCase& c, std::span<const ChannelBounds> bounds,
                                         const AskedFor& asked_for);

// Writes the places of suspects among `count` elements, ascending, and says how many they are. The first element has the first
// constants. norms: |x| at least, of the elements of each period. suspects: room for `count`.
using FindSuspects = std::int64_t (*)(const SuspectTable& table, const std::int32_t* raw, const std::uint8_t* answer,
                                      std::int64_t count, const float* norms, std::uint32_t* suspects);
[[nodiscard]] FindSuspects find_suspects(VectorIsa isa);

}  // namespace tieout
