#pragma once
// Loops of general depthwise layers, as templates of the operations in `Lanes`: see loops_template.h.

#include <cstddef>
#include <cstdint>

#include "kernels/packed/loops.h"
#include "kernels/packed/store_sums.h"

namespace tieout {

enum class ZeroPoints { none, some };  // whether any weight zero point is not 0

// Bytes of the output per register: those of four blocks.
template <typename Lanes>
constexpr std::int64_t kDepthwiseBytes = 4 * Lanes::kBlock;

// Computes kWide registers of one turn, from its register `first` on; `count` bytes of each are stored.
template <typename Lanes, ZeroPoints kZeroPoints, std::size_t kWide>
void depthwise_tile(const DepthwiseRow& row, const OutputRange& range, std::int64_t turn, std::int64_t first,
                    std::int64_t count) {
  constexpr std::int64_t kWeights = kStep * Lanes::kBlock;
  const BlockNumbers* const numbers = row.numbers + turn * 4;
  typename Lanes::Sums sums[kWide][4];
  typename Lanes::Sums activations[kWide][4];
#pragma GCC unroll 4
  for (int r = 0; r < 4; ++r) {
    const auto start = Lanes::load(numbers[r].start);
#pragma GCC unroll 4
    for (std::size_t k = 0; k < kWide; ++k) {
      sums[k][r] = start;
      activations[k][r] = Lanes::splat(0);
    }
  }
  const std::uint8_t* const base = row.x + turn * kDepthwiseBytes<Lanes> + first * row.x_distance;
  const std::int8_t* w = row.weights + turn * row.quads * 4 * kWeights;
  for (std::int64_t quad = 0; quad < row.quads; ++quad) {
    typename Lanes::Activations x[kWide][4];
    const std::int64_t* const offsets = row.tap_offsets + 4 * quad;
#pragma GCC unroll 4
    for (std::int64_t k = 0; k < std::int64_t{kWide}; ++k) {
      const std::uint8_t* const at = base + k * row.x_distance;
      const auto tap = [&](int i) { return Lanes::template bytes<1>({at + offsets[i]}); };
      Lanes::interleave(tap(0), tap(1), tap(2), tap(3), x[k]);
    }
#pragma GCC unroll 4
    for (int r = 0; r < 4; ++r, w += kWeights) {
      const auto weights = Lanes::weights(w);
#pragma GCC unroll 4
      for (std::size_t k = 0; k < kWide; ++k) {
        sums[k][r] = Lanes::dot(sums[k][r], x[k][r], weights);
        if constexpr (kZeroPoints == ZeroPoints::some) {
          activations[k][r] = Lanes::dot(activations[k][r], x[k][r], Lanes::weights(row.ones + quad * kWeights));
        }
      }
    }
  }
  std::uint8_t* y[kWide][1]{};
#pragma GCC unroll 4
  for (std::int64_t k = 0; k < std::int64_t{kWide}; ++k) {
    const std::int64_t to = turn * kDepthwiseBytes<Lanes> + (first + k) * row.y_distance;
    y[k][0] = row.y + to;
    if constexpr (kZeroPoints == ZeroPoints::some) {
      for (int r = 0; r < 4; ++r) {
        const auto sum = Lanes::at_most(activations[k][r], row.largest_activation_sum);
        const auto zero_point = Lanes::load(numbers[r].weight_zero_point);
        sums[k][r] = Lanes::subtract_product(sums[k][r], zero_point, sum);
      }
    }
    if (row.sums != nullptr) store_sums<Lanes>(sums[k], count, {row.sums + to});
  }
  Lanes::finish(sums, numbers, range, y, count);
}

// Calls tile2(turn, first, count) for two registers of a turn, which share weights and constants, and tile1 for single
// ones. Where registers continue from pixel to pixel, only the last one of the row is incomplete; elsewhere the last
// one of each pixel is, and the pixels are processed in order.
template <typename Lanes, typename Tile2, typename Tile1>
void each_depthwise_tile(const DepthwiseRow& row, const Tile2& tile2, const Tile1& tile1) {
  if (row.runs_on) {
    for (std::int64_t turn = 0; turn < row.period; ++turn) {
      // bytes of the output from this turn's first byte on
      const std::int64_t bytes = row.bytes - turn * kDepthwiseBytes<Lanes>;
      std::int64_t k = 0;
      for (; (k + 1) * row.y_distance + kDepthwiseBytes<Lanes> <= bytes; k += 2) tile2(turn, k, kDepthwiseBytes<Lanes>);
      for (; k * row.y_distance < bytes; ++k) {
        const std::int64_t left = bytes - k * row.y_distance;
        tile1(turn, k, left < kDepthwiseBytes<Lanes> ? left : kDepthwiseBytes<Lanes>);
      }
    }
    return;
  }
  const std::int64_t pixels = row.bytes / row.y_distance;
  for (std::int64_t k = 0; k < pixels; k += 2) {
    for (std::int64_t turn = 0; turn < row.period; ++turn) {
      const std::int64_t left = row.y_distance - turn * kDepthwiseBytes<Lanes>;
      const std::int64_t count = left < kDepthwiseBytes<Lanes> ? left : kDepthwiseBytes<Lanes>;
      if (k + 1 < pixels) {
        tile2(turn, k, count);
      } else {
        tile1(turn, k, count);
      }
    }
  }
}

template <typename Lanes>
void depthwise(const DepthwiseRow& row, const OutputRange& range) {
  constexpr auto kNone = ZeroPoints::none, kSome = ZeroPoints::some;
  if (row.ones != nullptr) {
    const auto one = [&](auto turn, auto k, auto count) {
      depthwise_tile<Lanes, kSome, 1>(row, range, turn, k, count);
    };
    return each_depthwise_tile<Lanes>(
        row, [&](auto turn, auto k, auto count) { depthwise_tile<Lanes, kSome, 2>(row, range, turn, k, count); }, one);
  }
  each_depthwise_tile<Lanes>(
      row, [&](auto turn, auto k, auto count) { depthwise_tile<Lanes, kNone, 2>(row, range, turn, k, count); },
      [&](auto turn, auto k, auto count) { depthwise_tile<Lanes, kNone, 1>(row, range, turn, k, count); });
}

}  // namespace tieout
