#include "layers/simd/layer_loops.h"

#include <algorithm>

namespace tieout {
namespace {

std::int64_t first_unproven_portable(const CombinedRow& row, std::int64_t begin) {
  for (std::int64_t p = begin; p < row.positions; ++p) {
    const std::int32_t* const sums = row.sums + p * row.sums_step;
    std::uint64_t left = row.zero_point, right = 0;
    for (std::int64_t k = 0; k < row.outputs; ++k) {
      left += static_cast<std::uint64_t>(std::int64_t{row.random[k]} * sums[k]);
    }
    for (std::int64_t run = 0; run < row.run_count; ++run) {
      const std::uint8_t* const x = row.runs[run].x + p * row.step;
      const std::uint64_t* const combined = row.runs[run].combined;
      for (std::int64_t i = 0; i < row.run_length; ++i) right += x[i] * combined[i];
    }
    if (left != right) return p;
  }
  return row.positions;
}

void add_weights_portable(std::uint64_t* __restrict to, const std::int8_t* __restrict w, std::int64_t count,
                          std::int32_t zero_point, std::int64_t factor) {
  for (std::int64_t i = 0; i < count; ++i) to[i] += static_cast<std::uint64_t>(factor * (w[i] - zero_point));
}

std::int64_t norms_portable(const std::int8_t* w, std::int64_t count, std::int32_t zero_point, std::int32_t* squares) {
  std::int64_t all = 0;
  for (std::int64_t begin = 0; begin < count; begin += kNormBlock) {
    std::int32_t sum = 0, square = 0;
    for (std::int64_t i = begin; i < std::min(begin + kNormBlock, count); ++i) {
      const std::int32_t step = w[i] - zero_point;
      sum += step < 0 ? -step : step;
      square += step * step;
    }
    all += sum;
    *squares++ = square;
  }
  return all;
}

std::uint64_t squares_portable(const std::uint8_t* a, std::int64_t count, std::int32_t zero_point) {
  // This number of squares below 2^16 fits in 32 bits.
  constexpr std::int64_t kBlock = std::int64_t{1} << 15;
  std::uint64_t total = 0;
  for (std::int64_t begin = 0; begin < count; begin += kBlock) {
    std::uint32_t sum = 0;
    for (std::int64_t i = begin; i < std::min(begin + kBlock, count); ++i) {
      const std::int32_t step = a[i] - zero_point;
      sum += static_cast<std::uint32_t>(step * step);
    }
    total += sum;
  }
  return total;
}

std::int64_t first_wrong_portable(const DepthwiseSumRow& row, std::int64_t begin) {
  for (std::int64_t place = begin; place < row.positions * row.count; ++place) {
    if (is_wrong(row, place / row.count, place % row.count)) return place;
  }
  return row.positions * row.count;
}

std::int64_t next_above_portable(const std::uint8_t* x, const std::uint8_t* limits, std::int64_t begin,
                                 std::int64_t count) {
  std::int64_t i = begin;
  while (i < count && x[i] <= limits[i]) ++i;
  return i;
}

void extremes_portable(const std::uint8_t* x, std::int64_t count, std::uint8_t* lowest, std::uint8_t* highest) {
  const auto [low, high] = std::minmax_element(x, x + count);
  *lowest = *low;
  *highest = *high;
}

LayerLoops portable() {
  return {.first_unproven = first_unproven_portable,
          .add_weights = add_weights_portable,
          .norms = norms_portable,
          .squares = squares_portable,
          .first_wrong = first_wrong_portable,
          .next_above = next_above_portable,
          .extremes = extremes_portable};
}

}  // namespace

bool is_wrong(const DepthwiseSumRow& row, std::int64_t p, std::int64_t i) {
  auto sum = static_cast<std::uint32_t>(row.shift[i]) - static_cast<std::uint32_t>(row.sums[p * row.count + i]);
  for (std::int64_t t = 0; t < row.tap_count; ++t) {
    sum += std::uint32_t{row.taps[t][p * row.step + i]} * static_cast<std::uint32_t>(row.w[t * row.count + i]);
  }
  return sum != 0;
}

LayerLoops layer_loops(SimdIsa isa) {
  if (isa >= SimdIsa::avx512) return layer_loops_avx512();
  return isa == SimdIsa::avx2 ? layer_loops_avx2() : portable();
}

}  // namespace tieout
