#include <algorithm>
#include <array>

#include "cases/case_predicates.h"
#include "props/generate/conform.h"
#include "props/generate/generator.h"

namespace tieout {
namespace {

// Lists numbers of channels around the widths of vector registers and of matrix blocks, and some that fit neither.
constexpr std::array<std::int64_t, 18> kChannels{1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 24, 31, 32, 33, 64, 65};

// Halves the channels in each group, for kernels that make every channel expensive. Returns false if each group has one
// left.
bool halve_channels(ConvCase& c) {
  std::int64_t& channels = c.in_channels > c.out_channels ? c.in_channels : c.out_channels;
  if (channels == c.groups) return false;
  channels = channels / c.groups / 2 * c.groups;
  return true;
}

// Chooses the output's extents so that the case costs about as much as allowed, and an input that gives this output.
// smallest: lower bound of the output's extents, whatever it costs.
void draw_input(ConvCase& c, Random& random, const GeneratorOptions& options, const Spatial& smallest) {
  while (c.in_channels < 300 && c.out_channels * reduction_length(c) > 16 * options.products && halve_channels(c)) {
  }
  const std::int64_t position_cost = std::max<std::int64_t>(1, c.out_channels * reduction_length(c));
  std::int64_t positions = std::max<std::int64_t>(1, options.products / position_cost);
  c.batch = random.chance(1, 4) ? random.between(1, std::min<std::int64_t>(4, positions)) : 1;
  positions = std::max<std::int64_t>(1, positions / c.batch);
  for (std::size_t d = static_cast<std::size_t>(3 - c.dims); d < 3; ++d) {
    const std::int64_t most = std::max(smallest[d], std::min<std::int64_t>(positions, c.dims == 3 ? 8 : 20));
    const std::int64_t extent = random.between(smallest[d], most);
    positions = std::max<std::int64_t>(1, positions / extent);
    const std::int64_t reach = c.dilation[d] * (c.kernel[d] - 1) + 1;
    // These rows at the end are not the start of any window.
    const std::int64_t unused = random.between(0, c.stride[d] - 1);
    c.input[d] = std::max<std::int64_t>(1, (extent - 1) * c.stride[d] + reach - 2 * c.padding[d] + unused);
    // If the padding exceeds the kernel's reach, the input may be one that no window touches, which is a legal case.
  }
}

// Draws a depthwise shape and returns the smallest output on which FBGEMM's 3-d code does not fail: one as large as the
// padding. One case in twenty ignores that limit.
Spatial draw_depthwise(ConvCase& c, Random& random) {
  constexpr std::array<std::int64_t, 3> kKernels{3, 5, 7};
  c.dims = random.chance(1, 3) ? 3 : 2;
  const std::int64_t square = random.pick(kKernels);
  c.kernel = {c.dims == 3 ? random.pick(kKernels) : 1, square, square};
  c.groups = 8 * random.between(1, volume(c.kernel) > 100 ? 2 : 9);
  c.in_channels = c.groups;
  c.out_channels = random.chance(1, 5) ? 2 * c.groups : c.groups;
  for (std::size_t d = static_cast<std::size_t>(3 - c.dims); d < 3; ++d) {
    c.stride[d] = random.between(1, 2);
    c.padding[d] = (c.kernel[d] - 1) / 2;
  }
  return c.dims == 3 && random.chance(19, 20) ? c.padding : Spatial{1, 1, 1};
}

void draw_groupwise(ConvCase& c, Random& random) {
  c.dims = random.chance(1, 4) ? 3 : 2;
  const std::int64_t channels = std::int64_t{2} << random.below(4);
  // The groups usually fill a register one to four times; one case in twenty draws an arbitrary number.
  const std::int64_t together = channels == 2 ? 8 : channels == 4 ? 4 : 1;
  c.groups = random.chance(19, 20) ? together * random.between(1, channels == 2 ? 2 : 4) : random.between(1, 12);
  c.in_channels = c.out_channels = channels * c.groups;
  const std::int64_t stride = random.between(1, 2);
  c.stride = {c.dims == 3 ? random.between(1, 2) : 1, stride, stride};
  for (std::size_t d = static_cast<std::size_t>(3 - c.dims); d < 3; ++d) {
    c.kernel[d] = 3;
    c.padding[d] = 1;
  }
}

void draw_pointwise(ConvCase& c, Random& random) {
  c.dims = static_cast<int>(random.between(1, 3));
  c.groups = random.chance(1, 5) ? random.between(2, 4) : 1;
  c.in_channels = c.groups * random.pick(kChannels);
  c.out_channels = c.groups * random.pick(kChannels);
}

void draw_general(ConvCase& c, Random& random) {
  constexpr std::array<std::int64_t, 8> kKernels{1, 2, 3, 3, 4, 5, 7, 11};
  c.dims = static_cast<int>(random.between(1, 3));
  c.groups = random.chance(1, 3) ? random.pick(std::array<std::int64_t, 6>{2, 3, 4, 7, 8, 16}) : 1;
  c.in_channels = c.groups * (c.groups > 4 ? random.between(1, 3) : random.pick(kChannels));
  c.out_channels = c.groups * (c.groups > 4 ? random.between(1, 3) : random.pick(kChannels));
  const auto first = static_cast<std::size_t>(3 - c.dims);
  // Half of the shapes are alike along every dimension, as in networks, and half of these use common values. The others
  // have different values along each dimension.
  const std::uint32_t kind = random.below(8);
  if (kind < 4) {
    const bool ordinary = kind < 2;
    const std::int64_t kernel = ordinary      ? random.pick(std::array<std::int64_t, 4>{1, 1, 3, 3})
                                : c.dims == 3 ? random.between(1, 3)
                                              : random.pick(kKernels);
    const std::int64_t stride = ordinary ? random.between(1, 2) : random.between(1, 3);
    const std::int64_t dilation = ordinary || random.chance(3, 4) ? 1 : random.between(2, 3);
    const std::int64_t padding = ordinary ? kernel / 2 : random.between(0, kernel);
    for (std::size_t d = first; d < 3; ++d) {
      c.kernel[d] = kernel;
      c.stride[d] = stride;
      c.dilation[d] = dilation;
      c.padding[d] = padding;
    }
    return;
  }
  for (std::size_t d = first; d < 3; ++d) {
    c.kernel[d] = c.dims == 3 ? random.between(1, 3) : random.pick(kKernels);
    c.stride[d] = random.chance(1, 2) ? 1 : random.between(1, 4);
    c.dilation[d] = random.chance(3, 4) ? 1 : random.between(2, 3);
    c.padding[d] = random.chance(1, 3) ? 0 : random.between(0, c.kernel[d]);
  }
}

// Draws the sizes of a linear layer: features around the widths of registers and blocks, or several blocks of them, and
// batches from a single row, for which libraries have code of its own, to more rows than a block has.
void draw_linear(ConvCase& c, Random& random, const GeneratorOptions& options) {
  const auto features = [&] { return random.chance(3, 4) ? random.pick(kChannels) : random.between(1, 300); };
  c.in_channels = features();
  c.out_channels = features();
  while (c.in_channels * c.out_channels > 16 * options.products && halve_channels(c)) {
  }
  constexpr std::array<std::int64_t, 16> kRows{1, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 17, 33, 64, 130};
  const std::int64_t most = std::max<std::int64_t>(1, 4 * options.products / (c.in_channels * c.out_channels));
  c.batch = std::min(random.pick(kRows), most);
}

// Draws sums beyond 2^24, where float32 begins to lose bits, and beyond int32.
void draw_long_reduction(ConvCase& c, Random& random) {
  c.in_channels = random.chance(1, 2) ? random.between(500, 3'000) : random.between(33'000, 70'000);
  c.out_channels = random.between(1, 2);
  if (!is_linear(c)) c.kernel[2] = random.chance(1, 4) ? 2 : 1;
}

// Moves the shape into the conditions. times: factor by which such a case may exceed the usual number of products.
void conform(ConvCase& c, Random& random, const GeneratorOptions& options, std::int64_t times) {
  if (options.where == nullptr) return;
  // If no shape is found, the case stays outside of the domain, which case_of() detects.
  (void)conform_shape(c, *options.where, random, times * options.products);
}

}  // namespace

void draw_end_padding(ConvCase& c, Random& random, const GeneratorOptions& options) {
  if (is_linear(c)) return;
  const bool asked = options.where != nullptr && mentions(Parameter::padding_end, *options.where);
  if (!asked && options.audience == Audience::subject) return;
  if (!random.chance(1, asked ? 3 : 20)) return;
  ConvCase uneven = c;
  for (auto d = static_cast<std::size_t>(3 - c.dims); d < 3; ++d) {
    // Most often the end has one position more, as padding=same gives it.
    const bool ordinary = random.chance(1, 2);
    uneven.extra_end_padding[d] = ordinary ? random.between(0, 1) : random.between(-c.padding[d], c.kernel[d]);
  }
  const Spatial out = output_size(uneven);
  const bool fits = out[0] > 0 && out[1] > 0 && out[2] > 0;
  if (fits && (options.where == nullptr || keeps_shape(uneven, *options.where))) c = std::move(uneven);
}

void draw_shape_on(FbgemmPath path, ConvCase& c, Random& random, const GeneratorOptions& options) {
  if (path == FbgemmPath::linear) {
    c.execution.call = Call::linear;
    draw_linear(c, random, options);
    return conform(c, random, options, 16);
  }
  Spatial smallest{1, 1, 1};
  switch (path) {
    case FbgemmPath::depthwise: smallest = draw_depthwise(c, random); break;
    case FbgemmPath::groupwise: draw_groupwise(c, random); break;
    case FbgemmPath::pointwise: draw_pointwise(c, random); break;
    case FbgemmPath::im2col:
    case FbgemmPath::linear: draw_general(c, random); break;
  }
  draw_input(c, random, options, smallest);
  conform(c, random, options, 16);
}

void draw_long_shape(ConvCase& c, Random& random, const GeneratorOptions& options) {
  c.execution.call = options.call;
  draw_long_reduction(c, random);
  if (is_linear(c)) {
    c.batch = random.between(1, 3);
  } else {
    draw_input(c, random, options, {1, 1, 1});
  }
  conform(c, random, options, 60);
}

void draw_shape(ConvCase& c, Random& random, const GeneratorOptions& options) {
  if (options.call == Call::linear) {
    return random.chance(1, 25) ? draw_long_shape(c, random, options)
                                : draw_shape_on(FbgemmPath::linear, c, random, options);
  }
  if (options.audience == Audience::subject && draw_wide_shape(c, random)) return conform(c, random, options, 30);
  const std::uint32_t kind = random.below(100);
  if (kind >= 98) return draw_long_shape(c, random, options);
  const FbgemmPath path = kind < 20   ? FbgemmPath::depthwise
                          : kind < 38 ? FbgemmPath::groupwise
                          : kind < 58 ? FbgemmPath::pointwise
                                      : FbgemmPath::im2col;
  draw_shape_on(path, c, random, options);
}

}  // namespace tieout
