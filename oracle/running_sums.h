#pragma once
// How large the sums on the way are, which is what their roundings go by.

#include <cstdint>
#include <span>

#include "oracle/vector_isa.h"

namespace tieout {

// Of the products x_i * w_i, in their order, S_j is the sum of the first j. With P at the ends of blocks of B products, and A_b the
// sum of |x_i w_i| over a block, a sum inside of the block is at most |P| at its beginning and what was added since, and at most |P|
// at its end and what is yet to come: at most half of both, which is half of both |P| and of A_b. Hence
//
//   sum over j of |S_j|  <=  B * (sum over the ends of blocks of |P|)  +  B / 2 * sum of |x_i w_i|.
inline constexpr std::int64_t kRunningBlock = 32;

struct RunningProducts {
  const std::uint8_t* x;
  const std::int8_t* w;
  std::int64_t count;
  std::int32_t activation_zero_point, weight_zero_point;  // x_i and w_i, above, are what is left without them
};

// The same products as they lie channels last, where their number at each kernel position is a multiple of kTapChannels. In
// their order, four channels' products at all kernel positions are neighbours: a block.
struct RunningTaps {
  const std::int8_t* w = nullptr;  // taps x channels; the zero point is 0
  std::int64_t taps = 0, channels = 0;
  std::int32_t activation_zero_point = 0;

  [[nodiscard]] std::int64_t block() const { return 4 * taps; }
};
inline constexpr std::int64_t kTapChannels = 64;

// The first term. All sums fit int32.
using RunningSums = std::int64_t (*)(const RunningProducts& products);
[[nodiscard]] RunningSums running_sums(VectorIsa isa);
// On CPUs that have it.
[[nodiscard]] std::int64_t running_sums_avx2(const RunningProducts& products);
[[nodiscard]] std::int64_t running_sums_vnni(const RunningProducts& products);

// x: of each window its taps, `channels` bytes each. sums: one a window.
using RunningSumsByTaps = void (*)(const RunningTaps& products, std::span<const std::uint8_t* const* const> x,
                                   std::int64_t* sums);
// nullptr where the instruction set has none.
[[nodiscard]] RunningSumsByTaps running_sums_by_taps(VectorIsa isa);
void running_sums_avx2(const RunningTaps& products, std::span<const std::uint8_t* const* const> x, std::int64_t* sums);
void running_sums_vnni(const RunningTaps& products, std::span<const std::uint8_t* const* const> x, std::int64_t* sums);

}  // namespace tieout
