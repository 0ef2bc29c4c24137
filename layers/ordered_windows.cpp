#include "layers/ordered_windows.h"

#include <immintrin.h>

#include <cstddef>

namespace tieout {
namespace {

// Transposes nine rows of 16 bytes to 16 columns of nine. Each column is written as eight bytes and one byte.
void sixteen_of_nine(std::span<const std::uint8_t* const> taps, std::int64_t i, std::uint8_t* to) {
  __m128i rows[8];
  for (std::size_t t = 0; t < 8; ++t) rows[t] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(taps[t] + i));
  // Interleaves row t with row t + 4 three times, so that bytes from rows that are 4, 2 and 1 apart become neighbours.
  for (int step = 0; step < 3; ++step) {
    __m128i next[8];
    for (std::size_t t = 0; t < 4; ++t) {
      next[2 * t] = _mm_unpacklo_epi8(rows[t], rows[t + 4]);
      next[2 * t + 1] = _mm_unpackhi_epi8(rows[t], rows[t + 4]);
    }
    for (std::size_t t = 0; t < 8; ++t) rows[t] = next[t];
  }
  for (std::size_t column = 0; column < 16; column += 2) {
    _mm_storel_epi64(reinterpret_cast<__m128i*>(to + 9 * column), rows[column / 2]);
    to[9 * column + 8] = taps[8][i + static_cast<std::int64_t>(column)];
    _mm_storel_epi64(reinterpret_cast<__m128i*>(to + 9 * column + 9), _mm_srli_si128(rows[column / 2], 8));
    to[9 * column + 17] = taps[8][i + static_cast<std::int64_t>(column) + 1];
  }
}

}  // namespace

void interleave(std::span<const std::uint8_t* const> taps, std::int64_t count, std::uint8_t* to) {
  const auto apart = static_cast<std::int64_t>(taps.size());
  std::int64_t whole = 0;
  if (apart == 9) {  // kernels of 3x3
    for (; whole + 16 <= count; whole += 16) sixteen_of_nine(taps, whole, to + 9 * whole);
  }
  for (std::int64_t t = 0; t < apart; ++t) {
    const std::uint8_t* const from = taps[static_cast<std::size_t>(t)];
    for (std::int64_t i = whole; i < count; ++i) to[i * apart + t] = from[i];
  }
}

}  // namespace tieout
