#pragma once
// Dense tensors from one layout to another.

#include <algorithm>
#include <cstdint>
#include <vector>

namespace tieout {

// rows x 9 bytes becomes 9 x rows: the weights of 3x3 kernels, megabytes of them. Eight rows at a time; returns how many. In the
// compiler's own vectors: on x86 these are its instructions that interleave registers.
template <typename Byte>
std::int64_t nine_columns(const Byte* from, std::int64_t rows, Byte* to) {
  using Bytes [[gnu::vector_size(16)]] = char;
  using Shorts [[gnu::vector_size(16)]] = short;
  using Ints [[gnu::vector_size(16)]] = int;
  std::int64_t r = 0;
  for (; r + 8 <= rows; r += 8, from += 72) {
    Bytes row[8] = {};
    for (int i = 0; i < 8; ++i) __builtin_memcpy(&row[i], from + 9 * i, 8);
    Shorts pairs[4];
    for (int i = 0; i < 4; ++i) {
      pairs[i] = reinterpret_cast<Shorts>(
          __builtin_shufflevector(row[2 * i], row[2 * i + 1], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23));
    }
    Ints fours[4];  // of rows 0 .. 3: columns 0 .. 3, columns 4 .. 7; of rows 4 .. 7 likewise
    for (int i = 0; i < 2; ++i) {
      const Shorts a = pairs[2 * i], b = pairs[2 * i + 1];
      fours[2 * i] = reinterpret_cast<Ints>(__builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11));
      fours[2 * i + 1] = reinterpret_cast<Ints>(__builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15));
    }
    for (std::int64_t half = 0; half < 2; ++half) {
      const Ints first = __builtin_shufflevector(fours[half], fours[2 + half], 0, 4, 1, 5);
      const Ints second = __builtin_shufflevector(fours[half], fours[2 + half], 2, 6, 3, 7);
      char eight[4][8];
      __builtin_memcpy(eight[0], &first, 16);
      __builtin_memcpy(eight[2], &second, 16);
      for (std::int64_t column = 0; column < 4; ++column) {
        __builtin_memcpy(to + (4 * half + column) * rows + r, eight[column], 8);
      }
    }
    for (std::int64_t i = 0; i < 8; ++i) to[8 * rows + r + i] = from[9 * i + 8];
  }
  return r;
}

// outer x rows x columns becomes outer x columns x rows. With rows = channels and columns = positions that is NCHW to NHWC
// and OIHW to OHWI; with the two exchanged, the way back. In squares that stay in the cache.
template <typename T>
[[nodiscard]] std::vector<T> transposed(const T* from, std::int64_t outer, std::int64_t rows, std::int64_t columns) {
  constexpr std::int64_t kSquare = 32;
  std::vector<T> result(static_cast<std::size_t>(outer * rows * columns));
  T* to = result.data();
  for (std::int64_t o = 0; o < outer; ++o, from += rows * columns, to += rows * columns) {
    std::int64_t done = 0;
    if constexpr (sizeof(T) == 1) {
      if (columns == 9) done = nine_columns(from, rows, to);
    }
    for (std::int64_t r = done; r < rows; r += kSquare) {
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
