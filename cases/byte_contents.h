#pragma once
// Draws the bytes of one tensor from a seed, bit for bit the same on every machine.

#include <cstdint>
#include <vector>

#include "cases/conv_case.h"

namespace tieout {

// Returns the listed values, or `count` values drawn by the fill. zero_point: 0..255. stream: tensors of the same seed
// that have different streams do not depend on each other.
[[nodiscard]] std::vector<std::uint8_t> bytes_of(const Contents<std::uint8_t>& contents, std::int64_t count,
                                                 std::int64_t zero_point, std::uint64_t seed, std::uint64_t stream);

}  // namespace tieout
