#include "kernels/packed/conv_plan.h"

#include <algorithm>
#include <utility>

#include "cases/case_predicates.h"

namespace tieout {
namespace {

// Bytes of the activations that are read again for each panel: together with the weights of a panel they have to stay
// in a second level cache of 512 KB to 2 MB.
constexpr std::int64_t kChunkBytes = std::int64_t{192} << 10;

// Maximum size of a copy of the lines in use: with a large dilation, two lines of a window can be arbitrarily far
// apart.
constexpr std::int64_t kLargestCopy = std::int64_t{16} << 20;

// Returns true if the product of the extents is at most `most`.
bool at_most(std::int64_t most, std::initializer_list<std::int64_t> extents) {
  std::int64_t product = 1;
  for (const std::int64_t extent : extents) {
    if (extent != 0 && product > most / extent) return false;
    product *= extent;
  }
  return true;
}

// Returns how many pixels of a line the windows of an output row span, including the padding.
std::int64_t padded_width(const ConvPlan& plan) {
  const ConvCase& c = plan.spec;
  return (plan.out[2] - 1) * c.stride[2] + c.dilation[2] * (c.kernel[2] - 1) + 1;
}

// Returns the rows per chunk such that each chunk has at most `at_most_rows` and all are nearly equal.
std::int64_t even_chunks(std::int64_t rows, std::int64_t at_most_rows) {
  const std::int64_t chunks = (rows + at_most_rows - 1) / at_most_rows;
  return (rows + chunks - 1) / chunks;
}

// Returns true if no run's end separates two neighbours that saturate together.
bool keeps_pairs(const ConvPlan& plan, std::int64_t runs) {
  return plan.arithmetic.products == Arithmetic::Products::exact || runs == 1 || plan.run_bytes % 2 == 0;
}

// Returns where the loops read the windows from: in place if possible, otherwise a copy.
Windows choose_windows(const ConvPlan& plan, std::int64_t runs) {
  const ConvCase& c = plan.spec;
  if (plan.reduction == Reduction::depthwise_3x3) return Windows::in_place;
  const bool depthwise = plan.reduction == Reduction::depthwise;
  const bool joined = !depthwise && !keeps_pairs(plan, runs);
  if (!depthwise && !joined && c.padding == Spatial{0, 0, 0} && plan.run_bytes % kStep == 0) return Windows::in_place;
  const bool fits = at_most(kLargestCopy, {c.kernel[0], plan.lines_of(1), padded_width(plan), c.in_channels});
  return !fits ? Windows::gathered : joined ? Windows::joined : Windows::padded;
}

// Returns how many positions fill a register of the loops for depthwise 3x3, or 0 if these loops cannot compute the
// layer.
std::int64_t pixels_of_register(const ConvPlan& plan) {
  const ConvCase& c = plan.spec;
  const bool can = c.kernel == Spatial{1, 3, 3} && c.dilation[1] == 1 && c.dilation[2] == 1 && c.padding[0] == 0 &&
                   c.stride[2] <= 2 && !plan.weight_zero_points;
  if (!can) return 0;
  for (const std::int64_t pixels : {1, 2, 4}) {
    if (pixels * c.out_channels >= 4 * plan.loops.block && plan.out[2] >= pixels) return pixels;
  }
  return 0;
}

void lay_out_source(ConvPlan& plan) {
  const ConvCase& c = plan.spec;
  if (plan.windows == Windows::gathered) return;
  const bool copied = plan.windows != Windows::in_place;
  plan.line_bytes = (copied ? padded_width(plan) : c.input[2]) * c.in_channels;
  const std::int64_t of_one = c.kernel[0] * plan.lines_of(1) * plan.line_bytes;
  const std::int64_t of_each = c.kernel[0] * c.stride[1] * plan.line_bytes;
  const std::int64_t most = 1 + std::max<std::int64_t>(kChunkBytes - of_one, 0) / of_each;
  plan.chunk_rows = plan.windows == Windows::joined ? 1 : even_chunks(plan.out[1], std::min(most, plan.out[1]));
  plan.plane_bytes =
      copied ? plan.lines_of(plan.chunk_rows) * plan.line_bytes : c.dilation[0] * c.input[1] * plan.line_bytes;
}

// Lists the offset of each run, or of each tap for depthwise layers, from where a window begins.
void list_runs(ConvPlan& plan, std::int64_t taps_of_run) {
  const ConvCase& c = plan.spec;
  for (std::int64_t d = 0; d < c.kernel[0]; ++d) {
    for (std::int64_t h = 0; h < c.kernel[1]; ++h) {
      for (std::int64_t w = 0; w < c.kernel[2]; w += taps_of_run) {
        plan.run_offsets.push_back(d * plan.plane_bytes + h * c.dilation[1] * plan.line_bytes +
                                   w * c.dilation[2] * c.in_channels);
      }
    }
  }
}

// Makes each window one run, which has its former runs as parts.
void make_windows_runs(ConvPlan& plan) {
  plan.part_bytes = std::exchange(plan.run_bytes, plan.group_channels * volume(plan.spec.kernel));
  plan.part_offsets = std::exchange(plan.run_offsets, {0});
  plan.chunk_positions =
      std::clamp<std::int64_t>(kChunkBytes / std::max<std::int64_t>(plan.run_bytes, 1), 1, plan.out[2]);
}

// Returns the positions of the output along dimension d, grouped by which taps are inside of the input.
std::vector<Span> spans_of(const ConvPlan& plan, std::size_t d) {
  const ConvCase& c = plan.spec;
  std::vector<Span> spans;
  for (std::int64_t at = 0; at < plan.out[d]; ++at) {
    const std::int64_t corner = at * c.stride[d] - c.padding[d];
    std::int64_t from = 0, to = c.kernel[d];
    while (from < to && corner + from * c.dilation[d] < 0) ++from;
    while (from < to && corner + (to - 1) * c.dilation[d] >= c.input[d]) --to;
    if (spans.empty() || spans.back().from != from || spans.back().to != to) spans.push_back({at, 0, from, to});
    ++spans.back().count;
  }
  return spans;
}

// Splits the output into areas whose windows have the same taps inside of the input. This is possible if each tap is a
// whole number of steps. Where products wait for one another, rows that lose taps keep all of their columns: a corner
// of a single position would wait for longer than the products take that it saves.
void find_trimmed_areas(ConvPlan& plan) {
  const ConvCase& c = plan.spec;
  const bool can = plan.windows == Windows::padded && plan.reduction == Reduction::dense && c.groups == 1 &&
                   c.kernel[0] == 1 && c.padding[0] == 0 && c.dilation[2] == 1 && c.in_channels % kStep == 0 &&
                   !plan.weight_zero_points;
  if (!can) return;
  const std::vector<Span> row_spans = spans_of(plan, 1), column_spans = spans_of(plan, 2);
  for (const Span& rows : row_spans) {
    const bool whole = rows.from == 0 && rows.to == c.kernel[1];
    if (plan.loops.products_wait && !whole) {
      plan.trimmed_areas.push_back({rows, {0, plan.out[2], 0, c.kernel[2]}});
    } else {
      for (const Span& columns : column_spans) plan.trimmed_areas.push_back({rows, columns});
    }
  }
  // The areas with the most positions come first: their tiles need new weights more slowly than a far cache delivers
  // them, and afterwards the weights are in a near cache.
  const auto positions = [](const TrimmedArea& area) { return area.rows.count * area.columns.count; };
  std::sort(plan.trimmed_areas.begin(), plan.trimmed_areas.end(),
            [&](const TrimmedArea& a, const TrimmedArea& b) { return positions(a) > positions(b); });
}

}  // namespace

ConvPlan make_plan(const ConvCase& spec, std::span<const std::int8_t> weight, const Arithmetic& arithmetic,
                   SimdIsa isa) {
  ConvPlan plan{.spec = spec, .arithmetic = arithmetic};
  ConvCase& c = plan.spec;
  c.activation = {};
  c.weight = {};
  plan.out = output_size(c);
  plan.loops = loops_of(isa, arithmetic.products);
  constexpr std::int64_t kSevenBits = 127;
  if (plan.loops.seven_bit_loops != nullptr && c.activation_zero_point <= kSevenBits) {
    plan.seven_bit_loops = plan.loops.seven_bit_loops();
  }
  plan.range.zero_point = static_cast<std::int32_t>(c.output_zero_point);
  plan.range.lowest = c.relu == Relu::on ? plan.range.zero_point : 0;
  plan.group_channels = c.in_channels / c.groups;
  plan.group_outputs = c.out_channels / c.groups;
  plan.weight_zero_points = has_weight_zero_point(c);
  // A row of the window is one run if its pixels and their channels follow one another in memory.
  const bool whole_rows = c.groups == 1 && c.dilation[2] == 1;
  const std::int64_t taps_of_run = whole_rows ? c.kernel[2] : 1;
  plan.run_bytes = taps_of_run * plan.group_channels;
  // The depthwise loops keep sums of activations in 32 bits.
  constexpr std::int64_t kMostTaps = 1 << 20;
  if (plan.group_channels == 1 && plan.group_outputs == 1 && volume(c.kernel) <= kMostTaps) {
    plan.pixels = pixels_of_register(plan);
    plan.reduction = plan.pixels > 0 ? Reduction::depthwise_3x3 : Reduction::depthwise;
  }
  plan.windows = choose_windows(plan, volume(c.kernel) / taps_of_run);
  if (plan.windows == Windows::gathered) plan.reduction = Reduction::dense;
  lay_out_source(plan);
  if (plan.windows != Windows::gathered) {
    list_runs(plan, plan.reduction == Reduction::depthwise ? 1 : taps_of_run);
    plan.one_row = plan.windows == Windows::in_place && volume(c.kernel) == 1 && c.stride == Spatial{1, 1, 1};
  }
  if (plan.windows == Windows::joined || plan.windows == Windows::gathered) make_windows_runs(plan);
  plan.steps = (plan.run_bytes + kStep - 1) / kStep;
  find_trimmed_areas(plan);
  pack_weights(plan, weight);
  return plan;
}

Loops loops_of(SimdIsa isa, Arithmetic::Products products) {
  switch (isa) {
    case SimdIsa::portable: break;
    case SimdIsa::avx2: return avx2_loops(products);
    case SimdIsa::avx512: return avx512_loops(products);
    case SimdIsa::avx512_vnni:
      return products == Arithmetic::Products::exact ? avx512_vnni_loops() : avx512_loops(products);
  }
  return portable_loops(products);
}

}  // namespace tieout
