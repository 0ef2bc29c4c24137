#pragma once
// Dense tensors from one layout to another.

#include <emmintrin.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace tieout {

// rows x 9 bytes becomes 9 x rows: the weights of 3x3 kernels, megabytes of them. Eight rows at a time; returns how many.
template <typename Byte>
std::int64_t nine_columns(const Byte* from, std::int64_t rows, Byte* to) {
  std::int64_t r = 0;
  for (; r + 8 <= rows; r += 8, from += 72) {
    const auto row = [&](int i) { return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from + 9 * i)); };
    const __m128i a = _mm_unpacklo_epi8(row(0), row(1)), b = _mm_unpacklo_epi8(row(2), row(3));
    const __m128i c = _mm_unpacklo_epi8(row(4), row(5)), d = _mm_unpacklo_epi8(row(6), row(7));
    const __m128i low[2] = {_mm_unpacklo_epi16(a, b), _mm_unpackhi_epi16(a, b)};  // of rows 0 .. 3, four columns each
    const __m128i high[2] = {_mm_unpacklo_epi16(c, d), _mm_unpackhi_epi16(c, d)};
    for (std::int64_t half = 0; half < 2; ++half) {
      const __m128i first = _mm_unpacklo_epi32(low[half], high[half]),
                    second = _mm_unpackhi_epi32(low[half], high[half]);
      Byte* const column = to + 4 * half * rows + r;
      _mm_storel_epi64(reinterpret_cast<__m128i*>(column), first);
      _mm_storel_epi64(reinterpret_cast<__m128i*>(column + rows), _mm_srli_si128(first, 8));
      _mm_storel_epi64(reinterpret_cast<__m128i*>(column + 2 * rows), second);
      _mm_storel_epi64(reinterpret_cast<__m128i*>(column + 3 * rows), _mm_srli_si128(second, 8));
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
