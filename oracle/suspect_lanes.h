#pragma once
// Many suspects at once: at most of them nearly everybody says what the operator answered, and it takes a few comparisons to know.

#include <array>
#include <cstdint>
#include <span>

#include "oracle/asked.h"
#include "oracle/channel_bounds.h"
#include "oracle/vector_isa.h"

namespace tieout {

struct Suspect {
  OutputElement element;
  std::int32_t raw = 0;
  std::uint8_t answer = 0;
  double norm = 0;         // |x|, at least
  bool saturates = false;  // pairs do, so that those who add them in int16 have been asked already
};

struct JudgeRules {
  double lowest = 0, highest = 255;  // of what is rounded: the zero point is added afterwards
  int zero_point = 0;
  unsigned asked = 0;  // bits below that matter to anybody
};

// What is left to do at each, in bits.
struct SuspectsLeft {
  static constexpr std::size_t kAtOnce = 64;
  static constexpr unsigned kEverything =
      1;  // its value is near a tie for somebody, or not the answer; asked: for float64 sums
  static constexpr unsigned kSum = 2;      // else: its float32 sum is to be looked at
  static constexpr unsigned kDiffers = 4;  // else: whole biases say otherwise than the answer, a bit each

  std::array<std::int64_t, kAtOnce> bits;
  std::array<std::array<std::int64_t, kAtOnce>, Asked::kGroups> says;  // by whole biases
};

// suspects: kAtOnce at most. All ISAs say the same, which is what SuspectJudge::judge() says of one.
using FindLeft = void (*)(const JudgeRules& rules, std::span<const ChannelBounds> bounds,
                          std::span<const Suspect> suspects, SuspectsLeft& left);
[[nodiscard]] FindLeft find_left(VectorIsa isa);

}  // namespace tieout
