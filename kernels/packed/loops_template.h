#pragma once
// The loops that all instruction sets share, as templates of `Lanes`, a struct that provides the operations in which
// instruction sets differ:
//
//   kProducts   the kind of products: exact, or saturating pairs
//   kBlock      lanes of a block: 16 or 8
//   kBlocks     blocks of the largest panel: 1 or 2
//   Sums        an int32 for each lane
//   Weights     a block's weights of one step
//   Activations four bytes for each lane
//   Bytes       a byte of the input for each lane of four blocks
//   load(p), store(p, sums), splat(value), weights(p), broadcast(p), dot(sums, activations, weights)
//   subtract_product(sums, a, b), at_most(sums, most)
//   store_in_order(sums, count, to): optional; does in registers what store_lanes() does
//   bytes(at): loads the same number of bytes from each at[part]
//   interleave(rows, out): rearranges four rows of such bytes to four blocks; a lane gets its channel of each row
//   finish(sums, numbers, range, y, count): requantizes sums[position][block], stores count bytes at y[position][part]
//   kDepthwiseWide: how many registers of output bytes a depthwise tile has, as the sums of all must stay in registers
//   positions(blocks): how many positions of a panel a dense tile has, as the sums of all must stay in registers

#include <cstddef>
#include <cstdint>

#include "kernels/packed/loops_depthwise.h"
#include "kernels/packed/loops_depthwise_3x3.h"

namespace tieout {

enum class Lines { one, many };  // number of lines of an area

// Computes the offset of each position of a tile from the area's first position. The function is always inlined: it is
// no template of Lanes, so that the linker would keep a single copy, compiled for some instruction set, for all files.
template <Lines kLines, std::size_t kPositions>
[[gnu::always_inline]] inline void find_offsets(const DenseArea& area, std::int64_t first, std::int64_t line_distance,
                                                std::int64_t distance, std::int64_t (&offsets)[kPositions]) {
  const std::int64_t line = kLines == Lines::one ? 0 : first / area.positions;
  std::int64_t column = first - line * area.positions;
  offsets[0] = line * line_distance + column * distance;
#pragma GCC unroll 16
  for (std::size_t p = 1; p < kPositions; ++p) {
    offsets[p] = offsets[p - 1] + distance;
    if (kLines == Lines::many && ++column == area.positions) {
      column = 0;
      offsets[p] += line_distance - area.positions * distance;
    }
  }
}

// Computes kPositions positions of a panel, from position `first` of the area on.
template <typename Lanes, Lines kLines, std::size_t kBlocks, std::size_t kPositions>
void dense_tile(const Panel& panel, const DenseArea& area, const OutputRange& range, std::int64_t first) {
  std::int64_t windows[kPositions];
  find_offsets<kLines>(area, first, area.line_distance, area.distance, windows);
  constexpr std::int64_t kBytes = kStep * Lanes::kBlock;
  typename Lanes::Sums sums[kPositions][kBlocks];
#pragma GCC unroll 16
  for (int r = 0; r < int{kBlocks}; ++r) {
    const auto start = Lanes::load(panel.numbers[r].start);
#pragma GCC unroll 16
    for (std::size_t p = 0; p < kPositions; ++p) sums[p][r] = start;
  }
  for (std::int64_t run = 0; run < area.runs; ++run) {
    const std::int8_t* w = panel.weights + run * area.packed_steps * int{kBlocks} * kBytes;
    const std::uint8_t* x = area.x + area.run_offsets[run];
    for (std::int64_t step = 0; step < area.steps; ++step) {
      typename Lanes::Weights weights[kBlocks];
#pragma GCC unroll 16
      for (int r = 0; r < int{kBlocks}; ++r) weights[r] = Lanes::weights(w + r * kBytes);
#pragma GCC unroll 16
      for (std::size_t p = 0; p < kPositions; ++p) {
        const auto activations = Lanes::broadcast(x + windows[p]);
#pragma GCC unroll 16
        for (int r = 0; r < int{kBlocks}; ++r) sums[p][r] = Lanes::dot(sums[p][r], activations, weights[r]);
      }
      x += kStep;
      w += int{kBlocks} * kBytes;
    }
  }
  if (area.activation_sums != nullptr) {
#pragma GCC unroll 16
    for (std::size_t p = 0; p < kPositions; ++p) {
      const auto sum = Lanes::splat(area.activation_sums[first + static_cast<std::int64_t>(p)]);
#pragma GCC unroll 16
      for (int r = 0; r < int{kBlocks}; ++r) {
        sums[p][r] = Lanes::subtract_product(sums[p][r], Lanes::load(panel.numbers[r].weight_zero_point), sum);
      }
    }
  }
  std::int64_t places[kPositions];
  find_offsets<kLines>(area, first, area.y_line_distance, area.y_distance, places);
  if (area.sums != nullptr) {
#pragma GCC unroll 16
    for (std::size_t p = 0; p < kPositions; ++p) {
      store_sums<Lanes>(sums[p], panel.channels, {area.sums + places[p]});
    }
  }
  std::uint8_t* y[kPositions][1];
#pragma GCC unroll 16
  for (std::size_t p = 0; p < kPositions; ++p) y[p][0] = area.y + places[p];
  Lanes::finish(sums, panel.numbers, range, y, panel.channels);
}

// Computes `tiles` neighbouring tiles of `positions` positions each, by the instance of dense_tile() for that number,
// which is at most kMost.
template <typename Lanes, Lines kLines, std::size_t kBlocks, std::int64_t kMost>
void dense_tiles_of(std::int64_t positions, std::int64_t tiles, const Panel& panel, const DenseArea& area,
                    const OutputRange& range, std::int64_t first) {
  if constexpr (kMost > 0) {
    if (positions < kMost) {
      return dense_tiles_of<Lanes, kLines, kBlocks, kMost - 1>(positions, tiles, panel, area, range, first);
    }
    for (; tiles > 0; --tiles, first += kMost) dense_tile<Lanes, kLines, kBlocks, kMost>(panel, area, range, first);
  }
}

// Splits the positions into tiles of nearly the same size, because the products of a last tile of one position would
// wait for one another.
template <typename Lanes, Lines kLines, std::size_t kBlocks>
void dense_tiles(const Panel& panel, const DenseArea& area, const OutputRange& range) {
  constexpr std::int64_t kMost = Lanes::positions(kBlocks);
  const std::int64_t all = area.lines * area.positions, tiles = (all + kMost - 1) / kMost;
  if (tiles == 0) return;
  const std::int64_t positions = all / tiles, larger = all % tiles;
  if (larger > 0) dense_tiles_of<Lanes, kLines, kBlocks, kMost>(positions + 1, larger, panel, area, range, 0);
  const std::int64_t first = larger * (positions + 1);
  dense_tiles_of<Lanes, kLines, kBlocks, kMost>(positions, tiles - larger, panel, area, range, first);
}

template <typename Lanes, std::size_t kBlocks>
void dense_panel(const Panel& panel, const DenseArea& area, const OutputRange& range) {
  if (area.lines == 1) return dense_tiles<Lanes, Lines::one, kBlocks>(panel, area, range);
  dense_tiles<Lanes, Lines::many, kBlocks>(panel, area, range);
}

template <typename Lanes>
void dense(const Panel& panel, const DenseArea& area, const OutputRange& range) {
  if constexpr (Lanes::kBlocks == 2) {
    if (panel.blocks == 2) return dense_panel<Lanes, 2>(panel, area, range);
  }
  dense_panel<Lanes, 1>(panel, area, range);
}

// Multiplies as one tile does, with its number of sums and one step of activations per position. The compiler must not
// see that the activations are equal: where product and addition are separate instructions, it would compute the
// products once.
template <typename Lanes>
std::int64_t multiply_in_registers(std::int64_t rounds) {
  constexpr auto kPositions = static_cast<std::size_t>(Lanes::positions(Lanes::kBlocks));
  constexpr std::size_t kBlocks = Lanes::kBlocks;
  constexpr auto kBytes = static_cast<std::size_t>(kStep * Lanes::kBlock);
  alignas(64) std::int8_t bytes[kBlocks * kBytes] = {};
  std::uint8_t four[kStep] = {};
  asm volatile("" : : "r"(bytes), "r"(four) : "memory");
  typename Lanes::Weights weights[kBlocks];
  typename Lanes::Sums sums[kPositions][kBlocks];
#pragma GCC unroll 4
  for (std::size_t r = 0; r < kBlocks; ++r) {
    weights[r] = Lanes::weights(bytes + r * kBytes);
#pragma GCC unroll 16
    for (std::size_t p = 0; p < kPositions; ++p) sums[p][r] = Lanes::splat(static_cast<std::int32_t>(p));
  }
  for (std::int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 16
    for (std::size_t p = 0; p < kPositions; ++p) {
      const std::uint8_t* from = four;
      asm volatile("" : "+r"(from));
      const auto x = Lanes::broadcast(from);
#pragma GCC unroll 4
      for (std::size_t r = 0; r < kBlocks; ++r) sums[p][r] = Lanes::dot(sums[p][r], x, weights[r]);
    }
  }
  std::int32_t lanes[kPositions * kBlocks][Lanes::kBlock];
#pragma GCC unroll 16
  for (std::size_t p = 0; p < kPositions; ++p) {
#pragma GCC unroll 4
    for (std::size_t r = 0; r < kBlocks; ++r) Lanes::store(lanes[p * kBlocks + r], sums[p][r]);
  }
  asm volatile("" : : "r"(lanes) : "memory");
  return rounds * static_cast<std::int64_t>(kPositions * kBlocks) * Lanes::kBlock * kStep;
}

template <typename Lanes>
Loops loops_with() {
  return {.block = Lanes::kBlock,
          .blocks = Lanes::kBlocks,
          .dense = dense<Lanes>,
          .depthwise = depthwise<Lanes>,
          .depthwise_3x3 = depthwise_3x3<Lanes>,
          .multiply_in_registers = multiply_in_registers<Lanes>,
          .products_wait = false,
          .seven_bits = nullptr,
          .seven_bit_loops = nullptr};
}

// Pair lanes for activations of 7 bits: no pair saturates, so that the products are exact and 3x3 weights can be read
// in the layout of exact loops.
template <typename PairLanes>
struct SevenBitLanes : PairLanes {
  static constexpr auto kProducts = Arithmetic::Products::exact;
};

template <typename PairLanes>
Loops seven_bit_loops() {
  Loops loops = loops_with<PairLanes>();
  loops.depthwise_3x3 = depthwise_3x3<SevenBitLanes<PairLanes>>;
  return loops;
}

}  // namespace tieout
