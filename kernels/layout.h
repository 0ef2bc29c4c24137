#pragma once
// Dense tensors from one layout to another.

#include <cstddef>
#include <vector>

namespace tieout {

// outer x rows x columns becomes outer x columns x rows. With rows = channels and columns = positions that is NCHW to NHWC
// and OIHW to OHWI; with the two exchanged, the way back.
template <typename T>
[[nodiscard]] std::vector<T> transposed(const std::vector<T>& values, std::size_t outer, std::size_t rows,
                                        std::size_t columns) {
  std::vector<T> result(values.size());
  for (std::size_t o = 0; o < outer; ++o) {
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::size_t c = 0; c < columns; ++c) {
        result[(o * columns + c) * rows + r] = values[(o * rows + r) * columns + c];
      }
    }
  }
  return result;
}

}  // namespace tieout
