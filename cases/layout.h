#pragma once
// Dense tensors from one layout to another.

#include <algorithm>
#include <cstdint>
#include <vector>

namespace tieout {

// outer x rows x columns becomes outer x columns x rows. With rows = channels and columns = positions that is NCHW to NHWC
// and OIHW to OHWI; with the two exchanged, the way back. In squares that stay in the cache.
template <typename T>
[[nodiscard]] std::vector<T> transposed(const T* from, std::int64_t outer, std::int64_t rows, std::int64_t columns) {
  constexpr std::int64_t kSquare = 32;
  std::vector<T> result(static_cast<std::size_t>(outer * rows * columns));
  T* to = result.data();
  for (std::int64_t o = 0; o < outer; ++o, from += rows * columns, to += rows * columns) {
    for (std::int64_t r = 0; r < rows; r += kSquare) {
      for (std::int64_t c = 0; c < columns; c += kSquare) {
        for (std::int64_t i = r; i < std::min(r + kSquare, rows); ++i) {
          for (std::int64_t j = c; j < std::min(c + kSquare, columns); ++j) to[j * rows + i] = from[i * columns + j];
        }
      }
    }
  }
  return result;
}

}  // namespace tieout
