#pragma once
// How a convolution is run: where its windows lie in memory, what the loops walk over, and its packed weights.

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "kernels/loops.h"

namespace tieout {

// Where the loops find the windows.
enum class Windows {
  in_place,  // in the activation itself: nothing is padded and every run is a whole number of steps, or Depthwise3x3 sees to it
  padded,    // in a copy of the rows at work, with what lies outside of the input filled in
  joined,    // each window by itself, one run: its runs in such a copy, one behind the other
  gathered,  // likewise, tap by tap out of the activation: where that copy would be too large
};

enum class Reduction {
  dense,
  depthwise,      // one channel in and one out a group
  depthwise_3x3,  // where Depthwise3x3 can do it
};

// Neighbouring rows or columns of the output, in whose windows the taps from..to-1 are computed: all those inside of the input.
struct Span {
  std::int64_t first, count, from, to;
};

// A part of the output in whose windows the same taps are computed.
struct TrimmedArea {
  Span rows, columns;
};

// 64 bytes that begin a cache line: loads of a register's size then never touch two. Not zeros: megabytes of them are written once.
struct alignas(64) CacheLine {
  CacheLine() {}  // NOLINT(modernize-use-equals-default): that would make it zeros where a vector grows
  std::int8_t bytes[64];
};

struct ConvPlan {
  ConvCase spec;  // without contents
  Arithmetic arithmetic;
  Loops loops{};
  std::optional<Loops> seven_bit_loops;  // instead, for a chunk whose activations all fit 7 bits
  OutputRange range{};
  Spatial out{};
  std::int64_t group_channels = 0, group_outputs = 0;  // of the input and of the output
  bool weight_zero_points = false;                     // whether any is not 0

  Windows windows = Windows::in_place;
  Reduction reduction = Reduction::dense;
  bool one_row = false;          // dense, 1x1 with stride 1: the rows of a chunk follow one another as one
  std::int64_t line_bytes = 0;   // of the source: input, padded copy
  std::int64_t plane_bytes = 0;  // from a tap to the next in depth
  // Of the output, whose windows stay in the cache together: rows; or, where each window is by itself, positions of a row.
  std::int64_t chunk_rows = 0, chunk_positions = 0;

  std::vector<std::int64_t> run_offsets;   // or of depthwise taps
  std::int64_t run_bytes = 0, steps = 0;   // steps of a run
  std::vector<std::int64_t> part_offsets;  // of what is joined to a run
  std::int64_t part_bytes = 0;

  // Where there are any, they cover the output, and taps outside of the input may be left out: what each contributes is known
  // beforehand, sums_outside, by panel, tap, block and lane; there are none for a zero point of 0. On a map of 7x7 with a
  // padding of 1 this is a sixth of all products.
  std::vector<TrimmedArea> trimmed_areas;
  std::vector<std::int32_t> sums_outside;

  struct PlacedPanel {
    std::int64_t group = 0, first_channel = 0;  // of the output, among all
    std::int64_t first_line = 0;                // of its weights
    std::int64_t first_block = 0;               // of its numbers
    Panel panel{};
  };
  std::vector<PlacedPanel> panels;  // dense
  std::int64_t period = 0;          // depthwise: see DepthwiseRow
  bool runs_on = false;             // likewise
  std::int64_t pixels = 0;          // depthwise 3x3: see Depthwise3x3
  std::vector<CacheLine> weights, ones;
  std::vector<CacheLine> outside;  // depthwise 3x3: a line of zero points
  std::vector<BlockNumbers> numbers;

  [[nodiscard]] std::int64_t image_bytes() const { return volume(spec.input) * spec.in_channels; }
  [[nodiscard]] std::int64_t out_rows() const { return out[0] * out[1]; }
  // Of the input, that so many rows of the output look at.
  [[nodiscard]] std::int64_t lines_of(std::int64_t rows) const {
    return (rows - 1) * spec.stride[1] + spec.dilation[1] * (spec.kernel[1] - 1) + 1;
  }
};

[[nodiscard]] ConvPlan make_plan(const ConvCase& spec, std::span<const std::int8_t> weight,
                                 const Arithmetic& arithmetic, KernelIsa isa);

// ---- its second half: fills what is packed (pack_weights.cpp)
void pack_weights(ConvPlan& plan, std::span<const std::int8_t> weight);

}  // namespace tieout
