#pragma once
// The loops that every instruction set shares. Lanes names what differs:
//
//   Sums        16 int32
//   Weights     a block's weights of one step
//   Activations four bytes for each of the 16 lanes
//   load(p), store(p, sums), weights(p), broadcast(p), dot(sums, activations, weights), subtract_product(sums, a, b)
//   interleave(rows, out): four rows of 64 bytes to four blocks: in each lane one channel's bytes of the four rows
//   finish<blocks>(raw, numbers, first, range, y, count): requantizes the blocks of one position and stores count bytes
//   kPositions(blocks): how many positions of a panel's sums the registers hold

#include <cstddef>
#include <cstdint>

#include "kernels/loops.h"

namespace tieout {

template <std::size_t kBlocks, typename Lanes>
void store_sums(const typename Lanes::Sums (&raw)[kBlocks], std::int64_t count, std::int32_t* sums) {
  for (int r = 0; r < int{kBlocks}; ++r) {
    std::int32_t lanes[kBlock];
    Lanes::store(lanes, raw[r]);
    for (int i = 0; i < kBlock; ++i) {
      const std::int64_t channel = channel_of_lane(kBlocks, r, i);
      if (channel < count) sums[channel] = lanes[i];
    }
  }
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
  const std::int8_t* w = panel.weights;
  for (std::int64_t run = 0; run < row.runs; ++run) {
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
      w += kBlocks * bytes_of_block_step(Lanes::kForm);
    }
  }
#pragma GCC unroll 16
  for (std::int64_t p = 0; p < std::int64_t{kPositions}; ++p) {
    const std::int64_t position = first + p;
    if (row.activation_sums != nullptr) {
#pragma GCC unroll 16
      for (int r = 0; r < int{kBlocks}; ++r) {
        sums[p][r] = Lanes::subtract_product(sums[p][r], Lanes::load(panel.numbers.weight_zero_point + r * kBlock),
                                             Lanes::splat(row.activation_sums[position]));
      }
    }
    if (row.sums != nullptr) {
      store_sums<kBlocks, Lanes>(sums[p], panel.channels, row.sums + position * row.out_channels);
    }
    Lanes::template finish<kBlocks>(sums[p], panel.numbers, 0, range, row.y + position * row.out_channels,
                                    panel.channels);
  }
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

template <typename Lanes, ZeroPoints kZeroPoints>
void depthwise_blocks(const DepthwiseRow& row, const OutputRange& range) {
  constexpr std::int64_t kBytes = 64;
  constexpr std::int64_t kWeights = bytes_of_block_step(Lanes::kForm);
  std::int64_t turn = 0;  // of the period
  for (std::int64_t at = 0; at < row.bytes; at += kBytes) {
    typename Lanes::Sums sums[4];
    typename Lanes::Sums activations[4];
#pragma GCC unroll 4
    for (int r = 0; r < 4; ++r) {
      sums[r] = Lanes::load(row.numbers.start + turn * kBytes + r * kBlock);
      activations[r] = Lanes::splat(0);
    }
    const std::int8_t* w = row.weights + turn * row.quads * 4 * kWeights;
    for (std::int64_t quad = 0; quad < row.quads; ++quad) {
      typename Lanes::Activations x[4];
      const std::int64_t* const offsets = row.tap_offsets + 4 * quad;
      const std::uint8_t* const base = row.x + at;
      Lanes::interleave(base + offsets[0], base + offsets[1], base + offsets[2], base + offsets[3], x);
#pragma GCC unroll 4
      for (int r = 0; r < 4; ++r, w += kWeights) {
        sums[r] = Lanes::dot(sums[r], x[r], Lanes::weights(w));
        if constexpr (kZeroPoints == ZeroPoints::some) {
          activations[r] = Lanes::dot(activations[r], x[r], Lanes::weights(row.ones + quad * kWeights));
        }
      }
    }
    if constexpr (kZeroPoints == ZeroPoints::some) {
      for (int r = 0; r < 4; ++r) {
        const auto sum = Lanes::at_most(activations[r], row.largest_activation_sum);
        const auto zero_point = Lanes::load(row.numbers.weight_zero_point + turn * kBytes + r * kBlock);
        sums[r] = Lanes::subtract_product(sums[r], zero_point, sum);
      }
    }
    const std::int64_t count = row.bytes - at < kBytes ? row.bytes - at : kBytes;
    if (row.sums != nullptr) store_sums<4, Lanes>(sums, count, row.sums + at);
    Lanes::template finish<4>(sums, row.numbers, turn * kBytes, range, row.y + at, count);
    if (++turn == row.period) turn = 0;
  }
}

template <typename Lanes>
void depthwise(const DepthwiseRow& row, const OutputRange& range) {
  if (row.ones == nullptr) return depthwise_blocks<Lanes, ZeroPoints::none>(row, range);
  depthwise_blocks<Lanes, ZeroPoints::some>(row, range);
}

template <typename Lanes>
Loops loops_with() {
  return {.form = Lanes::kForm, .blocks = Lanes::kBlocks, .dense = dense<Lanes>, .depthwise = depthwise<Lanes>};
}

}  // namespace tieout
