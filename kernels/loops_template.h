#pragma once
// The loops that every instruction set shares. Lanes names what differs:
//
//   Sums        16 int32
//   Weights     a block's weights of one step
//   Activations four bytes for each of the 16 lanes
//   load(p), store(p, sums), weights(p), broadcast(p), dot(sums, activations, weights), subtract_product(sums, a, b)
//   interleave(rows, out): four rows of 64 bytes to four blocks: in each lane one channel's bytes of the four rows
//   finish(sums, numbers, first, range, y, count): requantizes sums[position][block] and stores count bytes at each y[position]
//   positions(blocks): how many positions of a panel's sums the registers hold

#include <cstddef>
#include <cstdint>

#include "kernels/loops.h"

namespace tieout {

// To channels' order. Apart, and given a copy: what has an address lies in memory and not in registers, and few calls ask for
// sums.
template <typename Lanes, std::size_t kBlocks>
[[gnu::noinline]] void store_lanes(const std::int32_t (&lanes)[kBlocks][kBlock], std::int64_t count,
                                   std::int32_t* sums) {
  for (std::int64_t r = 0; r < std::int64_t{kBlocks}; ++r) {
    for (std::int64_t i = 0; i < kBlock; ++i) {
      const std::int64_t channel = channel_of_lane(kBlocks, r, i);
      if (channel < count) sums[channel] = lanes[r][i];
    }
  }
}

template <typename Lanes, std::size_t kBlocks>
void store_sums(const typename Lanes::Sums (&raw)[kBlocks], std::int64_t count, std::int32_t* sums) {
  std::int32_t lanes[kBlocks][kBlock];
#pragma GCC unroll 4
  for (int r = 0; r < int{kBlocks}; ++r) Lanes::store(lanes[r], raw[r]);
  store_lanes<Lanes>(lanes, count, sums);
}

template <typename Lanes, std::size_t kBlocks, std::size_t kPositions>
void dense_tile(const Panel& panel, const DenseRow& row, const OutputRange& range, std::int64_t first) {
  typename Lanes::Sums sums[kPositions][kBlocks];
#pragma GCC unroll 16
  for (int r = 0; r < int{kBlocks}; ++r) {
    const auto start = Lanes::load(panel.numbers.start + r * kBlock);
#pragma GCC unroll 16
    for (std::int64_t p = 0; p < std::int64_t{kPositions}; ++p) sums[p][r] = start;
  }
  for (std::int64_t run = 0; run < row.runs; ++run) {
    const std::int8_t* w = panel.weights + run * row.packed_steps * int{kBlocks} * bytes_of_block_step(Lanes::kForm);
    const std::uint8_t* x = row.x + first * row.distance + row.run_offsets[run];
    for (std::int64_t step = 0; step < row.steps; ++step) {
      typename Lanes::Weights weights[kBlocks];
#pragma GCC unroll 16
      for (int r = 0; r < int{kBlocks}; ++r) weights[r] = Lanes::weights(w + r * bytes_of_block_step(Lanes::kForm));
#pragma GCC unroll 16
      for (std::int64_t p = 0; p < std::int64_t{kPositions}; ++p) {
        const auto activations = Lanes::broadcast(x + p * row.distance);
#pragma GCC unroll 16
        for (int r = 0; r < int{kBlocks}; ++r) sums[p][r] = Lanes::dot(sums[p][r], activations, weights[r]);
      }
      x += kStep;
      w += int{kBlocks} * bytes_of_block_step(Lanes::kForm);
    }
  }
  std::uint8_t* y[kPositions];
#pragma GCC unroll 16
  for (std::int64_t p = 0; p < std::int64_t{kPositions}; ++p) {
    const std::int64_t position = first + p;
    y[p] = row.y + position * row.y_distance;
    if (row.activation_sums != nullptr) {
#pragma GCC unroll 16
      for (int r = 0; r < int{kBlocks}; ++r) {
        sums[p][r] = Lanes::subtract_product(sums[p][r], Lanes::load(panel.numbers.weight_zero_point + r * kBlock),
                                             Lanes::splat(row.activation_sums[position]));
      }
    }
    if (row.sums != nullptr) store_sums<Lanes>(sums[p], panel.channels, row.sums + position * row.y_distance);
  }
  Lanes::finish(sums, panel.numbers, 0, range, y, panel.channels);
}

// A tile of up to kMost positions: the one that has just as many.
template <typename Lanes, std::size_t kBlocks, std::int64_t kMost>
void dense_tile_of(std::int64_t positions, const Panel& panel, const DenseRow& row, const OutputRange& range,
                   std::int64_t first) {
  if constexpr (kMost > 0) {
    if (positions == kMost) return dense_tile<Lanes, kBlocks, kMost>(panel, row, range, first);
    dense_tile_of<Lanes, kBlocks, kMost - 1>(positions, panel, row, range, first);
  }
}

// Positions in tiles of nearly the same size: a last tile of one position would wait for its own sums.
template <typename Lanes, std::size_t kBlocks>
void dense_panel(const Panel& panel, const DenseRow& row, const OutputRange& range) {
  constexpr std::int64_t kMost = Lanes::positions(kBlocks);
  const std::int64_t tiles = (row.positions + kMost - 1) / kMost;
  for (std::int64_t tile = 0; tile < tiles; ++tile) {
    const std::int64_t first = row.positions * tile / tiles;
    dense_tile_of<Lanes, kBlocks, kMost>(row.positions * (tile + 1) / tiles - first, panel, row, range, first);
  }
}

template <typename Lanes>
void dense(const Panel& panel, const DenseRow& row, const OutputRange& range) {
  if constexpr (Lanes::kBlocks >= 4) {
    if (panel.blocks == 4) return dense_panel<Lanes, 4>(panel, row, range);
  }
  if constexpr (Lanes::kBlocks >= 2) {
    if (panel.blocks == 2) return dense_panel<Lanes, 2>(panel, row, range);
  }
  dense_panel<Lanes, 1>(panel, row, range);
}

enum class ZeroPoints { none, some };  // of the weights

constexpr std::int64_t kDepthwiseBytes = 64;  // of the output: four blocks

// kWide registers of one turn, each 64 bytes of the output.
template <typename Lanes, ZeroPoints kZeroPoints, std::size_t kWide>
void depthwise_tile(const DepthwiseRow& row, const OutputRange& range, std::int64_t turn, std::int64_t first,
                    std::int64_t count) {
  constexpr std::int64_t kWeights = bytes_of_block_step(Lanes::kForm);
  typename Lanes::Sums sums[kWide][4];
  typename Lanes::Sums activations[kWide][4];
#pragma GCC unroll 4
  for (int r = 0; r < 4; ++r) {
    const auto start = Lanes::load(row.numbers.start + turn * kDepthwiseBytes + r * kBlock);
#pragma GCC unroll 4
    for (std::size_t k = 0; k < kWide; ++k) {
      sums[k][r] = start;
      activations[k][r] = Lanes::splat(0);
    }
  }
  const std::uint8_t* const base = row.x + turn * kDepthwiseBytes + first * row.x_distance;
  const std::int8_t* w = row.weights + turn * row.quads * 4 * kWeights;
  for (std::int64_t quad = 0; quad < row.quads; ++quad) {
    typename Lanes::Activations x[kWide][4];
    const std::int64_t* const offsets = row.tap_offsets + 4 * quad;
#pragma GCC unroll 4
    for (std::int64_t k = 0; k < std::int64_t{kWide}; ++k) {
      const std::uint8_t* const at = base + k * row.x_distance;
      Lanes::interleave(at + offsets[0], at + offsets[1], at + offsets[2], at + offsets[3], x[k]);
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
  std::uint8_t* y[kWide];
#pragma GCC unroll 4
  for (std::int64_t k = 0; k < std::int64_t{kWide}; ++k) {
    const std::int64_t to = turn * kDepthwiseBytes + (first + k) * row.y_distance;
    y[k] = row.y + to;
    if constexpr (kZeroPoints == ZeroPoints::some) {
      for (int r = 0; r < 4; ++r) {
        const auto sum = Lanes::at_most(activations[k][r], row.largest_activation_sum);
        const auto zero_point = Lanes::load(row.numbers.weight_zero_point + turn * kDepthwiseBytes + r * kBlock);
        sums[k][r] = Lanes::subtract_product(sums[k][r], zero_point, sum);
      }
    }
    if (row.sums != nullptr) store_sums<Lanes>(sums[k], count, row.sums + to);
  }
  Lanes::finish(sums, row.numbers, turn * kDepthwiseBytes, range, y, count);
}

// Two rows of the output at a time, stride 1 downwards: four rows of the input side by side in a lane serve both of them, with
// the weights of three taps at the upper three bytes or at the lower ones. Half of the interleaving is saved.
template <typename Lanes, std::size_t kWide>
void depthwise_pair_tile(const DepthwiseRow& row, const OutputRange& range, std::int64_t turn, std::int64_t first,
                         std::int64_t count) {
  constexpr std::int64_t kWeights = bytes_of_block_step(Lanes::kForm);
  typename Lanes::Sums sums[2 * kWide][4];
#pragma GCC unroll 4
  for (int r = 0; r < 4; ++r) {
    const auto start = Lanes::load(row.numbers.start + turn * kDepthwiseBytes + r * kBlock);
#pragma GCC unroll 4
    for (std::size_t k = 0; k < 2 * kWide; ++k) sums[k][r] = start;
  }
  const std::uint8_t* const base = row.x + turn * kDepthwiseBytes + first * row.x_distance;
  const std::int8_t* w = row.pair_weights + turn * row.columns * 8 * kWeights;
  for (std::int64_t column = 0; column < row.columns; ++column, w += 8 * kWeights) {
    typename Lanes::Activations x[kWide][4];
#pragma GCC unroll 4
    for (std::int64_t k = 0; k < std::int64_t{kWide}; ++k) {
      const std::uint8_t* const at = base + k * row.x_distance + row.tap_offsets[column];
      Lanes::interleave(at, at + row.line_bytes, at + 2 * row.line_bytes, at + 3 * row.line_bytes, x[k]);
    }
#pragma GCC unroll 4
    for (int r = 0; r < 4; ++r) {
      const auto upper = Lanes::weights(w + r * kWeights);
      const auto lower = Lanes::weights(w + (4 + r) * kWeights);
#pragma GCC unroll 4
      for (std::size_t k = 0; k < kWide; ++k) {
        sums[2 * k][r] = Lanes::dot(sums[2 * k][r], x[k][r], upper);
        sums[2 * k + 1][r] = Lanes::dot(sums[2 * k + 1][r], x[k][r], lower);
      }
    }
  }
  std::uint8_t* y[2 * kWide];
#pragma GCC unroll 4
  for (std::int64_t k = 0; k < std::int64_t{kWide}; ++k) {
    y[2 * k] = row.y + turn * kDepthwiseBytes + (first + k) * row.y_distance;
    y[2 * k + 1] = y[2 * k] + row.y_row;
  }
  Lanes::finish(sums, row.numbers, turn * kDepthwiseBytes, range, y, count);
}

// Two registers of a turn at a time share weights and numbers. tile2, tile1(turn, first, count). Where registers run on from one
// another, only the row's last one is cut off; elsewhere each pixel's last one, and pixel goes after pixel.
template <typename Tile2, typename Tile1>
void each_depthwise_tile(const DepthwiseRow& row, const Tile2& tile2, const Tile1& tile1) {
  if (row.runs_on) {
    for (std::int64_t turn = 0; turn < row.period; ++turn) {
      const std::int64_t bytes = row.bytes - turn * kDepthwiseBytes;  // of the output, from this turn's first byte on
      std::int64_t k = 0;
      for (; (k + 1) * row.y_distance + kDepthwiseBytes <= bytes; k += 2) tile2(turn, k, kDepthwiseBytes);
      for (; k * row.y_distance < bytes; ++k) {
        const std::int64_t left = bytes - k * row.y_distance;
        tile1(turn, k, left < kDepthwiseBytes ? left : kDepthwiseBytes);
      }
    }
    return;
  }
  const std::int64_t pixels = row.bytes / row.y_distance;
  for (std::int64_t k = 0; k < pixels; k += 2) {
    for (std::int64_t turn = 0; turn < row.period; ++turn) {
      const std::int64_t left = row.y_distance - turn * kDepthwiseBytes;
      const std::int64_t count = left < kDepthwiseBytes ? left : kDepthwiseBytes;
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
    return each_depthwise_tile(
        row, [&](auto turn, auto k, auto count) { depthwise_tile<Lanes, kSome, 2>(row, range, turn, k, count); }, one);
  }
  each_depthwise_tile(
      row, [&](auto turn, auto k, auto count) { depthwise_tile<Lanes, kNone, 2>(row, range, turn, k, count); },
      [&](auto turn, auto k, auto count) { depthwise_tile<Lanes, kNone, 1>(row, range, turn, k, count); });
}

template <typename Lanes>
void depthwise_pair(const DepthwiseRow& row, const OutputRange& range) {
  each_depthwise_tile(
      row, [&](auto turn, auto k, auto count) { depthwise_pair_tile<Lanes, 2>(row, range, turn, k, count); },
      [&](auto turn, auto k, auto count) { depthwise_pair_tile<Lanes, 1>(row, range, turn, k, count); });
}

template <typename Lanes>
std::int64_t multiply_in_registers(std::int64_t rounds) {
  constexpr int kSums = 8;  // more than one multiply-add takes cycles, and few enough for any register file
  alignas(64) std::int8_t bytes[bytes_of_block_step(Lanes::kForm)] = {};
  std::uint8_t four[kStep] = {};
  // What the compiler knows it would not compute.
  asm volatile("" : : "r"(bytes), "r"(four) : "memory");
  const auto weights = Lanes::weights(bytes);
  const auto x = Lanes::broadcast(four);
  typename Lanes::Sums sums[kSums];
#pragma GCC unroll 8
  for (int i = 0; i < kSums; ++i) sums[i] = Lanes::splat(i);
  for (std::int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 8
    for (int i = 0; i < kSums; ++i) sums[i] = Lanes::dot(sums[i], x, weights);
  }
  std::int32_t lanes[kSums * kBlock];
  for (int i = 0; i < kSums; ++i) Lanes::store(lanes + i * kBlock, sums[i]);
  asm volatile("" : : "r"(lanes) : "memory");
  return rounds * kSums * kBlock * kStep;
}

template <typename Lanes>
Loops loops_with() {
  return {.form = Lanes::kForm,
          .blocks = Lanes::kBlocks,
          .dense = dense<Lanes>,
          .depthwise = depthwise<Lanes>,
          .depthwise_pair = depthwise_pair<Lanes>,
          .multiply_in_registers = multiply_in_registers<Lanes>};
}

}  // namespace tieout
