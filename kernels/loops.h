#pragma once
// What a packed convolution hands to the loops of an instruction set: pointers and plain numbers.
//
// A reduction is a few runs of contiguous bytes of channels-last activations; it is walked four bytes at a time, a step. As many
// output channels as a register has sums are a block, 16 or 8. A panel is one or two blocks; where each channel is by itself, four
// are taken together. Of b blocks, lane i of block r is the channel
//
//   channel_of_lane(b, r, i) = 4 * b * (i / 4) + 4 * r + i % 4
//
// which is the order in which 32-bit numbers come out of the instructions that pack them to bytes within 128-bit lanes: the
// bytes of four blocks then lie as the channels do. Where fewer blocks of several positions fill the register, 128 bits have four
// neighbouring channels of each block: whole 32-bit numbers are to be moved, and no bytes.

#include <cstdint>

#include "cases/conv_case.h"
#include "kernels/kernel_isa.h"

namespace tieout {

constexpr std::int64_t kStep = 4;        // bytes of the reduction
constexpr std::int64_t kMostLanes = 16;  // of a block

[[nodiscard]] constexpr std::int64_t channel_of_lane(std::int64_t blocks, std::int64_t block, std::int64_t lane) {
  return 4 * blocks * (lane / 4) + 4 * block + lane % 4;
}

// What requantization needs of a block, by lane.
//   raw = start + sum of products - weight_zero_point * sum of activations   int32, wraps
//   s   = fma(bias, reciprocal, float(raw)) * multiplier
// Where the bias is not fused, the reciprocal is 1: fma(bias, 1, f) is f + bias with its one rounding. Each of these fills a
// cache line, so that no load touches two.
struct alignas(64) BlockNumbers {
  std::int32_t start[kMostLanes], weight_zero_point[kMostLanes];
  float bias[kMostLanes], reciprocal[kMostLanes], multiplier[kMostLanes];
};

//   y = clamp(zero_point + ties_to_even(s), lowest, 255)
struct OutputRange {
  std::int32_t zero_point, lowest;
};

// One or two blocks of output channels.
struct Panel {
  int blocks;
  std::int64_t channels;        // that exist: the last block may be filled up
  const std::int8_t* weights;   // runs x steps x blocks x lanes x 4
  const BlockNumbers* numbers;  // of each block
};

// Lines of neighbouring positions of the output. Distances are from a line to the next, and from a position to the next.
struct DenseArea {
  const std::uint8_t* x;                     // where the first position's window begins
  std::int64_t lines, positions;             // of each line
  std::int64_t line_distance, distance;      // bytes between windows
  const std::int64_t* run_offsets;           // bytes from where the window begins
  std::int64_t runs, steps;                  // steps of each run
  std::int64_t packed_steps;                 // from a run's packed weights to the next run's
  const std::int32_t* activation_sums;       // nullptr, or one a position: where a weight zero point is not 0
  std::uint8_t* y;                           // the panel's first channel at the first position
  std::int32_t* sums;                        // nullptr, or likewise
  std::int64_t y_line_distance, y_distance;  // numbers of the output
};

// Each channel by itself: four blocks of the output, a register of bytes. Weights and numbers repeat after a period of them, in
// which each has its turn: where the stride is 1, a row of the output is one run of bytes, and registers go on from pixel to pixel;
// elsewhere the period is a pixel, whose last register may be cut off. Register k of a turn begins at
// x + turn * its bytes + k * x_distance.
struct DepthwiseRow {
  const std::uint8_t* x;                // at most 4 * block - 1 bytes behind the last window are read and not used
  std::int64_t bytes;                   // of the output
  std::int64_t x_distance, y_distance;  // from a turn's register to its next: a period, or a pixel
  bool runs_on;                         // from pixel to pixel
  std::int64_t period;
  const std::int64_t* tap_offsets;  // 4 * quads; those beyond the last tap are any that can be read
  std::int64_t quads;
  const std::int8_t* weights;  // period x quads x 4 blocks x lanes x 4
  const std::int8_t* ones;     // nullptr where every weight zero point is 0; quads x lanes x 4: 1 for each tap
  std::int32_t largest_activation_sum;
  const BlockNumbers* numbers;  // period x 4
  std::uint8_t* y;
  std::int32_t* sums;  // nullptr, or as y
};

// A row of the output of depthwise windows of 3x3, which are read where they lie; no weight zero points. Four blocks again:
// a part of their channels of each of `pixels` neighbouring positions. The channels are walked over in turns, the last of which
// begins sooner where they do not divide: nothing is read or written beside them.
struct Depthwise3x3 {
  const std::uint8_t* lines[3];  // of the input, or of zero points
  const std::uint8_t* outside;   // zero points, as many as a pixel has in four blocks
  std::int64_t width, channels;  // of a line
  std::int64_t padding, stride;  // of columns; a stride of 1 or 2
  std::int64_t positions;        // at least `pixels`
  std::int64_t pixels;           // 1, 2 or 4
  // turns x 3 x 4 blocks x lanes x 4: of a column three weights and a 0; or four taps, where neighbours saturate together.
  const std::int8_t* weights;
  const BlockNumbers* numbers;  // turns x 4
  std::uint8_t* y;
  std::int32_t* sums;  // nullptr, or as y
};

struct Loops {
  std::int64_t block;  // lanes
  int blocks;          // of the largest panel: 1 or 2
  void (*dense)(const Panel& panel, const DenseArea& area, const OutputRange& range);
  void (*depthwise)(const DepthwiseRow& row, const OutputRange& range);
  void (*depthwise_3x3)(const Depthwise3x3& row, const OutputRange& range);
  std::int64_t (*multiply_in_registers)(std::int64_t rounds);  // see peak.h
  // Products of a sum wait for one another, where one instruction multiplies and adds: a single position takes as long as several.
  bool products_wait;
  // nullptr, or of exact loops that take longer than pairs which saturate: whether all activations fit 7 bits, and the loops that
  // take pairs for those. None saturates then, whatever the weights. They read weights that were packed for the exact loops: their
  // block and blocks are the same, and in 3x3 weights lie as for exact products.
  bool (*seven_bits)(const std::uint8_t* x, std::int64_t count);
  Loops (*seven_bit_loops)();
};

[[nodiscard]] Loops loops_of(KernelIsa isa, Arithmetic::Products products);

// One file each.
[[nodiscard]] Loops portable_loops(Arithmetic::Products products);
[[nodiscard]] Loops avx2_loops(Arithmetic::Products products);
[[nodiscard]] Loops avx512_loops(Arithmetic::Products products);
[[nodiscard]] Loops avx512_vnni_loops();  // exact products: what saturates is AVX-512's

}  // namespace tieout
