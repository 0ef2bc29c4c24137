#pragma once
// Decides whether an image is copied together with its padding. In such a copy each row of a window is contiguous; very
// large images are read without one.

#include "cases/conv_case.h"

namespace tieout {

// True if the padded channels of one group hold at most 2^28 numbers. The limit is divided by the extents one by one,
// because their product may not fit 64 bits.
[[nodiscard]] inline bool can_be_padded(const ConvCase& c) {
  std::int64_t left = (std::int64_t{1} << 28) / (c.in_channels / c.groups);
  const Spatial padded = padded_size(c);
  for (std::size_t d = 0; d < 3; ++d) left /= padded[d];
  return left > 0;
}

}  // namespace tieout
