#pragma once
// Converts dense tensors between layouts by transposing matrices.

#include <algorithm>
#include <cstdint>
#include <vector>

namespace tieout {

// Transposes the first rows / 8 * 8 of a matrix of rows x 9 bytes, and returns how many rows those are. These are the
// weights of 3x3 kernels, which take megabytes. The code handles eight rows at a time with the compiler's vector
// extension, which x86 compilers translate to interleaving instructions. to: 9 x rows bytes.
template <typename Byte>
std::int64_t nine_columns(const Byte* from, std::int64_t rows, Byte* to) {
  using Bytes [[gnu::vector_size(16)]] = char;
  using Shorts [[gnu::vector_size(16)]] = short;
  using Ints [[gnu::vector_size(16)]] = int;
  using Longs [[gnu::vector_size(16)]] = long long;
  const auto row = [](const Byte* at) {
    long long eight = 0;
    __builtin_memcpy(&eight, at, 8);
    return reinterpret_cast<Bytes>(Longs{eight, 0});
  };
  const auto two_rows = [&](const Byte* at) {
    return reinterpret_cast<Shorts>(
        __builtin_shufflevector(row(at), row(at + 9), 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23));
  };
  const auto low = [](Shorts a, Shorts b) {
    return reinterpret_cast<Ints>(__builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11));
  };
  const auto high = [](Shorts a, Shorts b) {
    return reinterpret_cast<Ints>(__builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15));
  };
  std::int64_t r = 0;
  for (; r + 8 <= rows; r += 8, from += 72) {
    const auto put_two = [&](std::int64_t column, Ints both) {
      const Longs eight = reinterpret_cast<Longs>(both);
      const long long first = eight[0], second = eight[1];
      __builtin_memcpy(to + column * rows + r, &first, 8);
      __builtin_memcpy(to + (column + 1) * rows + r, &second, 8);
    };
    const Shorts a = two_rows(from), b = two_rows(from + 18), c = two_rows(from + 36), d = two_rows(from + 54);
    const Ints upper_low = low(a, b), upper_high = high(a, b), lower_low = low(c, d), lower_high = high(c, d);
    put_two(0, __builtin_shufflevector(upper_low, lower_low, 0, 4, 1, 5));
    put_two(2, __builtin_shufflevector(upper_low, lower_low, 2, 6, 3, 7));
    put_two(4, __builtin_shufflevector(upper_high, lower_high, 0, 4, 1, 5));
    put_two(6, __builtin_shufflevector(upper_high, lower_high, 2, 6, 3, 7));
    for (std::int64_t i = 0; i < 8; ++i) to[8 * rows + r + i] = from[9 * i + 8];
  }
  return r;
}

// Returns outer x rows x columns as outer x columns x rows. With rows = channels and columns = positions this converts
// NCHW to NHWC and OIHW to OHWI; with the two exchanged, it converts back. The loops work on squares that fit the
// cache.
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
