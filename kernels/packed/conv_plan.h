#pragma once
// The plan of a packed convolution: how its windows lie in memory, in which order the loops process them, and its
// packed weights. make_plan() computes it once per layer; packed_conv.cpp runs it.

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "kernels/packed/loops.h"

namespace tieout {

// Where the loops read the windows from.
enum class Windows {
  in_place,  // the activation itself: without padding and with runs of whole steps, or for depthwise_3x3
  padded,    // a copy of the lines in use, in which positions outside of the input hold the zero point
  joined,    // a copy of each window as a single run: its runs in a padded copy, joined
  gathered,  // the same, copied tap by tap from the activation, where the padded copy would be too large
};

enum class Reduction {
  dense,
  depthwise,      // one input channel and one output channel per group
  depthwise_3x3,  // depthwise layers that the loops of Depthwise3x3 support
};

// Neighbouring rows or columns of the output whose windows have the same taps inside of the input, from..to-1. Only
// these taps are computed.
struct Span {
  std::int64_t first, count, from, to;
};

// A part of the output in whose windows the same taps are computed.
struct TrimmedArea {
  Span rows, columns;
};

// A cache line of 64 bytes: an aligned load of a register never touches two of them. The constructor leaves the bytes
// uninitialized, because megabytes of them are allocated and then written once.
struct alignas(64) CacheLine {
  CacheLine() {}  // NOLINT(modernize-use-equals-default): that would make it zeros where a vector grows
  std::int8_t bytes[64];
};

struct ConvPlan {
  ConvCase spec;  // without contents
  Arithmetic arithmetic;
  Loops loops{};
  std::optional<Loops> seven_bit_loops;  // used instead for a chunk whose activations all fit 7 bits
  OutputRange range{};
  Spatial out{};
  std::int64_t group_channels = 0, group_outputs = 0;  // input and output channels per group
  bool weight_zero_points = false;                     // true if any weight zero point is not 0

  Windows windows = Windows::in_place;
  Reduction reduction = Reduction::dense;
  bool one_row = false;          // dense 1x1 with stride 1: the rows of a chunk are one long row
  std::int64_t line_bytes = 0;   // bytes of a line of the source, which is the input or the padded copy
  std::int64_t plane_bytes = 0;  // bytes from a tap to the next one in depth
  // Number of output rows whose windows stay in the cache together. Where each window is copied by itself,
  // chunk_positions is the number of positions of a row instead.
  std::int64_t chunk_rows = 0, chunk_positions = 0;

  std::vector<std::int64_t> run_offsets;   // bytes from where a window begins: per run, or per tap if depthwise
  std::int64_t run_bytes = 0, steps = 0;   // size of a run in bytes and in steps
  std::vector<std::int64_t> part_offsets;  // as run_offsets, for the parts that are joined to one run
  std::int64_t part_bytes = 0;

  // If there are any, they cover the whole output, and each leaves out the taps that lie outside of the input. On a map
  // of 7x7 with a padding of 1 this saves a sixth of all products.
  std::vector<TrimmedArea> trimmed_areas;
  // What each tap outside of the input contributes to a sum, by panel, tap, block and lane. It is known beforehand,
  // because such a tap reads only zero points; the vector is empty for a zero point of 0.
  std::vector<std::int32_t> sums_outside;

  struct PlacedPanel {
    std::int64_t group = 0, first_channel = 0;  // first_channel: index among all output channels
    std::int64_t first_line = 0;                // index in `weights`
    std::int64_t first_block = 0;               // index in `numbers`
    Panel panel{};
  };
  std::vector<PlacedPanel> panels;  // dense
  std::int64_t period = 0;          // for depthwise layers: see DepthwiseRow
  bool runs_on = false;             // for depthwise layers: see DepthwiseRow
  std::int64_t pixels = 0;          // for depthwise 3x3 layers: see Depthwise3x3
  std::vector<CacheLine> weights, ones;
  std::vector<CacheLine> outside;  // for depthwise 3x3 layers: a line of zero points
  std::vector<BlockNumbers> numbers;

  [[nodiscard]] std::int64_t image_bytes() const { return volume(spec.input) * spec.in_channels; }
  [[nodiscard]] std::int64_t out_rows() const { return out[0] * out[1]; }
  // Returns the number of input lines that `rows` rows of the output read.
  [[nodiscard]] std::int64_t lines_of(std::int64_t rows) const {
    return (rows - 1) * spec.stride[1] + spec.dilation[1] * (spec.kernel[1] - 1) + 1;
  }
};

// Returns the plan for a layer. spec: valid; its contents are not read. weight: K x C/groups x kernel. isa: one of
// simd_isas().
[[nodiscard]] ConvPlan make_plan(const ConvCase& spec, std::span<const std::int8_t> weight,
                                 const Arithmetic& arithmetic, SimdIsa isa);

// Packs the weights and the channels' constants into `plan`; the second half of make_plan(), in pack_weights.cpp.
void pack_weights(ConvPlan& plan, std::span<const std::int8_t> weight);

}  // namespace tieout
