#pragma once
// Whether an image is copied together with its padding, which makes windows runs of it; or is too large for that.

#include "cases/conv_case.h"

namespace tieout {

// The channels of one group: at most 2^28 numbers. Products of extents may not fit 64 bits.
[[nodiscard]] inline bool can_be_padded(const ConvCase& c) {
  std::int64_t left = (std::int64_t{1} << 28) / (c.in_channels / c.groups);
  for (std::size_t d = 0; d < 3; ++d) left /= c.input[d] + 2 * c.padding[d];
  return left > 0;
}

}  // namespace tieout
