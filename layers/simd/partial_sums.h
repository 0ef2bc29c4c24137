#pragma once
// Bounds the partial sums of a window's products, on which the rounding errors of a float32 accumulation depend.

#include <cstdint>

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

// Returns the first term of the bound, with B = kPartialSumBlock. All sums must fit in int32.
using PartialSums = std::int64_t (*)(const PartialSumProducts& products);
// Returns the function for that instruction set.
[[nodiscard]] PartialSums partial_sums(SimdIsa isa);
[[nodiscard]] std::int64_t partial_sums_avx2(const PartialSumProducts& products);  // requires AVX2

}  // namespace tieout
