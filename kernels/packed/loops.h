#pragma once
// The interface between a packed convolution (packed_conv.cpp) and the loops of an instruction set: pointers and plain
// numbers.
//
//   run    contiguous bytes of channels-last activations; a reduction consists of a few runs
//   step   four bytes of a run, which the loops process at a time
//   block  as many output channels as a register holds int32 sums: 16 or 8
//   panel  one or two blocks that are computed together; depthwise loops compute four blocks together
//
// Of b blocks that are computed together, lane i of block r holds the channel
//
//   channel_of_lane(b, r, i) = 4 * b * (i / 4) + 4 * r + i % 4
//
// The instructions that pack 32-bit numbers to bytes within 128-bit lanes write them in this order: the bytes of four
// blocks then lie in the order of the channels. Where fewer blocks of several positions fill the register, each 128
// bits hold four neighbouring channels of each block, so that only whole 32-bit numbers have to be moved, and no single
// bytes.

#include <cstdint>

#include "cases/conv_case.h"
#include "cases/machine/cpu.h"

namespace tieout {

constexpr std::int64_t kStep = 4;        // size of a step in bytes
constexpr std::int64_t kMostLanes = 16;  // maximum number of lanes of a block

[[nodiscard]] constexpr std::int64_t channel_of_lane(std::int64_t blocks, std::int64_t block, std::int64_t lane) {
  return 4 * blocks * (lane / 4) + 4 * block + lane % 4;
}

// The constants that requantization needs for a block, by lane:
//   raw = start + sum of products - weight_zero_point * sum of activations   int32, wraps
//   s   = fma(bias, reciprocal, float(raw)) * multiplier
// Where the bias is not fused, `reciprocal` is 1: fma(bias, 1, f) is f + bias with its single rounding. Each array
// fills a cache line, so that no load touches two.
struct alignas(64) BlockNumbers {
  std::int32_t start[kMostLanes], weight_zero_point[kMostLanes];
  float bias[kMostLanes], reciprocal[kMostLanes], multiplier[kMostLanes];
};

// The last step of requantization:
//   y = clamp(zero_point + ties_to_even(s), lowest, 255)
struct OutputRange {
  std::int32_t zero_point, lowest;
};

// The weights and constants of one or two blocks of output channels.
struct Panel {
  int blocks;
  std::int64_t channels;        // number of channels that exist; the last block may have unused lanes
  const std::int8_t* weights;   // runs x steps x blocks x lanes x 4
  const BlockNumbers* numbers;  // one per block
};

// Lines of neighbouring positions of the output. A line distance is the distance from a line to the next, a distance
// that from a position to the next.
struct DenseArea {
  const std::uint8_t* x;                     // where the window of the first position begins
  std::int64_t lines, positions;             // `positions` is the number per line
  std::int64_t line_distance, distance;      // bytes between windows
  const std::int64_t* run_offsets;           // bytes from where a window begins
  std::int64_t runs, steps;                  // `steps` is the number per run
  std::int64_t packed_steps;                 // steps from a run's packed weights to those of the next run
  const std::int32_t* activation_sums;       // one per position if a weight zero point is not 0, otherwise nullptr
  std::uint8_t* y;                           // the panel's first channel at the first position
  std::int32_t* sums;                        // nullptr, or the integer sums, laid out as y
  std::int64_t y_line_distance, y_distance;  // in elements of the output
};

// A row of the output of a depthwise layer, computed in registers of output bytes, which hold four blocks. Weights and
// constants repeat after `period` registers; each register of a period is a turn. If `runs_on`, which needs a stride of
// 1, the row is one run of bytes and registers continue from pixel to pixel. Otherwise the period is a pixel, whose
// last register may be incomplete. Register k of a turn reads from
//   x + turn * 4 * block + k * x_distance
struct DepthwiseRow {
  const std::uint8_t* x;                // up to 4 * block - 1 bytes behind the last window are read, but not used
  std::int64_t bytes;                   // size of the output row
  std::int64_t x_distance, y_distance;  // from a turn's register to its next one: a period, or a pixel
  bool runs_on;                         // true if registers continue from pixel to pixel
  std::int64_t period;
  const std::int64_t* tap_offsets;  // 4 * quads offsets; those behind the last tap are any that can be read
  std::int64_t quads;
  const std::int8_t* weights;  // period x quads x 4 blocks x lanes x 4
  const std::int8_t* ones;     // nullptr if every weight zero point is 0; else quads x lanes x 4, with 1 for each tap
  std::int32_t largest_activation_sum;
  const BlockNumbers* numbers;  // period x 4
  std::uint8_t* y;
  std::int32_t* sums;  // nullptr, or the integer sums, laid out as y
};

// A row of the output of a 3x3 depthwise layer without weight zero points, whose windows are read where they lie. A
// register of output bytes holds four blocks: a part of the channels of each of `pixels` neighbouring positions. The
// loops process the channels in turns of that many channels. Where the turns do not divide the channels, the last turn
// begins sooner and overlaps the one before, so that nothing is read or written beside the channels.
struct Depthwise3x3 {
  const std::uint8_t* lines[3];  // lines of the input, or `outside`
  const std::uint8_t* outside;   // zero points, as many as four blocks have channels
  std::int64_t width, channels;  // width of a line in pixels
  std::int64_t padding, stride;  // of columns; the stride is 1 or 2
  std::int64_t positions;        // at least `pixels`
  std::int64_t pixels;           // 1, 2 or 4
  // turns x 3 x 4 blocks x lanes x 4: for each column of the window its three weights and a 0, or, where neighbours
  // saturate together, the taps by fours in their order.
  const std::int8_t* weights;
  const BlockNumbers* numbers;  // turns x 4
  std::uint8_t* y;
  std::int32_t* sums;  // nullptr, or the integer sums, laid out as y
};

// The loops of one instruction set for one kind of products.
struct Loops {
  std::int64_t block;  // number of lanes of a block
  int blocks;          // number of blocks of the largest panel: 1 or 2
  void (*dense)(const Panel& panel, const DenseArea& area, const OutputRange& range);
  void (*depthwise)(const DepthwiseRow& row, const OutputRange& range);
  void (*depthwise_3x3)(const Depthwise3x3& row, const OutputRange& range);
  std::int64_t (*multiply_in_registers)(std::int64_t rounds);  // see peak.h
  // True if the products of a sum wait for one another, because one instruction multiplies and adds: a single position
  // then takes as long as several.
  bool products_wait;
  // For exact loops that are slower than loops of saturating pairs: seven_bits() returns true if all activations fit 7
  // bits, and seven_bit_loops() returns the loops of pairs for them. No pair saturates then, whatever the weights.
  // These loops read weights that were packed for the exact loops: `block` and `blocks` are the same, and 3x3 weights
  // are laid out as for exact products. nullptr for all other loops.
  bool (*seven_bits)(const std::uint8_t* x, std::int64_t count);
  Loops (*seven_bit_loops)();
};

// Returns the loops of an instruction set. isa: one of simd_isas().
[[nodiscard]] Loops loops_of(SimdIsa isa, Arithmetic::Products products);

// The loops of each instruction set, one source file each.
[[nodiscard]] Loops portable_loops(Arithmetic::Products products);
[[nodiscard]] Loops avx2_loops(Arithmetic::Products products);
[[nodiscard]] Loops avx512_loops(Arithmetic::Products products);
[[nodiscard]] Loops avx512_vnni_loops();  // exact products only; saturating pairs use the AVX-512 loops

}  // namespace tieout
