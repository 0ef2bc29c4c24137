#pragma once
// Deciding by distance, many elements side by side: who is so far from every tie that a few roundings change nothing.

#include "oracle/layer_sums.h"

namespace tieout {

// What deciding by distance needs of one output channel, in units of the output scale. u = 2^-24 is the relative error of a
// rounding to float32.
struct JudgedChannel {
  bool tame = false;  // nothing overflows, vanishes or wraps, and the exact sum is one: else everything is literal
  float bias = 0;     // in units of raw
  float multiplier = 0;
  float literal_bias = 0;
  // How near to a tie the value must be for a hypothesis to say otherwise: slope * |s| + near. 16 roundings of a value that is
  // put together of raw * M, bias * M and oz cover every `roundings` hypothesis (onednn: 12) and the 3 of s itself.
  static constexpr float kSlope = 20 * 0x1p-24F;
  float near = 0;         // roundings
  float activations = 0;  // and u * sum |x - xz| * |w - wz| * M for the activations
  float whole_bias = 0;   // and 2.5 units of raw: 1 for the bias, 1 for a product rounded twice
};

struct Output {
  float scale = 1, zero_point = 0;
  float lowest = 0, highest = 255;  // of what is rounded: the zero point is added afterwards
  bool relu = false, biased = false;
};

struct Judged {
  bool plain =
      true;  // every lane of those that count is far from a tie, and the operator answered what all say who are near
  std::array<float, SumLanes::kLanes> margin;  // distance to the nearest tie - kSlope * |s|; below `near`: look closer
  std::array<std::int32_t, SumLanes::kLanes> exact;  // the exact value's y, where it is not near a tie
  std::array<std::int32_t, SumLanes::kLanes> float_sum;
};

// widest: the largest reach that is asked for, on top of JudgedChannel::kSlope * |s|. answer: the operator's, lanes.count of them.
using Judge = void (*)(const SumLanes& lanes, const JudgedChannel& channel, const Output& output, float widest,
                       const std::uint8_t* answer, Judged& judged);
[[nodiscard]] Judge best_judge();

}  // namespace tieout
