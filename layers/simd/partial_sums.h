#pragma once
// Bounds the partial sums of a window's products, on which the rounding errors of a float32 accumulation depend.

#include <cstdint>
#include <span>

#include "cases/machine/cpu.h"

namespace tieout {

// Let S_j be the sum of the first j of the products x_i * w_i, in their order. Divide the products into blocks of B;
// let P be the partial sums at the ends of blocks, and A_b the sum of |x_i w_i| over a block. A partial sum inside of a
// block is at most |P| at the block's beginning plus the absolute values added since, and at most |P| at its end plus
// those yet to be added. It is therefore at most the mean of the two bounds: half of the two |P| and of A_b. Hence
//
//   sum over j of |S_j|  <=  B * (sum over the ends of blocks of |P|)  +  B / 2 * sum of |x_i w_i|.
inline constexpr std::int64_t kPartialSumBlock = 32;

struct PartialSumProducts {
  const std::uint8_t* x;
  const std::int8_t* w;
  std::int64_t count;
  // x_i and w_i above are the stored numbers less these zero points.
  std::int32_t activation_zero_point, weight_zero_point;
};

// The same products in channels-last order, for layers whose number of channels is a multiple of kTapChannels. Their
// order of accumulation is channel, then kernel position, so that the products of four channels at all kernel positions
// are consecutive: these are a block.
struct PartialSumTaps {
  const std::int8_t* w = nullptr;  // taps x channels; the zero point is 0
  std::int64_t taps = 0, channels = 0;
  std::int32_t activation_zero_point = 0;

  [[nodiscard]] std::int64_t block() const { return 4 * taps; }
};
inline constexpr std::int64_t kTapChannels = 64;

// Returns the first term of the bound, with B = kPartialSumBlock. All sums must fit in int32.
using PartialSums = std::int64_t (*)(const PartialSumProducts& products);
// Returns the function for that instruction set.
[[nodiscard]] PartialSums partial_sums(SimdIsa isa);
// The implementations for CPUs with AVX2 and with AVX-512 VNNI.
[[nodiscard]] std::int64_t partial_sums_avx2(const PartialSumProducts& products);
[[nodiscard]] std::int64_t partial_sums_vnni(const PartialSumProducts& products);

// Writes the first term of the bound, with B = PartialSumTaps::block(), for each of several windows with the same
// weights. x: for each window, its kernel positions, `channels` bytes each. sums: one number for each window.
using PartialSumsByTaps = void (*)(const PartialSumTaps& products, std::span<const std::uint8_t* const* const> x,
                                   std::int64_t* sums);
// Returns the function for that instruction set, or nullptr without one.
[[nodiscard]] PartialSumsByTaps partial_sums_by_taps(SimdIsa isa);
void partial_sums_avx2(const PartialSumTaps& products, std::span<const std::uint8_t* const* const> x,
                       std::int64_t* sums);
void partial_sums_vnni(const PartialSumTaps& products, std::span<const std::uint8_t* const* const> x,
                       std::int64_t* sums);

}  // namespace tieout
