#pragma once
// Stores integer sums from registers to memory, for callers that request them.

#include <cstddef>
#include <cstdint>

#include "kernels/packed/loops.h"

namespace tieout {

// Stores lanes in the order of their channels: each part's first `count` channels to sums[part]. The function is not
// inlined and takes a copy of the sums: an array whose address is taken would lie in memory and not in registers.
template <typename Lanes, std::size_t kBlocks, std::size_t kParts>
[[gnu::noinline]] void store_lanes(const std::int32_t (&lanes)[kBlocks][Lanes::kBlock], std::int64_t count,
                                   std::int32_t* const (&sums)[kParts]) {
  constexpr std::int64_t kSize = 4 * Lanes::kBlock / kParts;  // channels of a part, where there are several
  for (std::int64_t r = 0; r < std::int64_t{kBlocks}; ++r) {
    for (std::int64_t i = 0; i < Lanes::kBlock; ++i) {
      const std::int64_t place = channel_of_lane(kBlocks, r, i), channel = place % kSize;
      if (channel < count) sums[place / kSize][channel] = lanes[r][i];
    }
  }
}

// Stores the sums by Lanes::store_in_order() if Lanes has it, otherwise by store_lanes().
template <typename Lanes, std::size_t kBlocks, std::size_t kParts>
void store_sums(const typename Lanes::Sums (&raw)[kBlocks], std::int64_t count, std::int32_t* const (&sums)[kParts]) {
  if constexpr (requires { Lanes::store_in_order(raw, count, sums); }) {
    Lanes::store_in_order(raw, count, sums);
  } else {
    std::int32_t lanes[kBlocks][Lanes::kBlock];
#pragma GCC unroll 4
    for (int r = 0; r < int{kBlocks}; ++r) Lanes::store(lanes[r], raw[r]);
    store_lanes<Lanes>(lanes, count, sums);
  }
}

}  // namespace tieout
