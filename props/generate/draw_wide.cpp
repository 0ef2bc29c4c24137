// Draws cases for subjects only: sizes beyond registers, blocks, counters and tables, and scales at the ends of
// float32. LibTorch's engines have their own sequence of cases, which must not change.

#include <algorithm>
#include <array>
#include <cmath>

#include "props/generate/generator.h"

namespace tieout {
namespace {

std::size_t first_dimension(const ConvCase& c) { return static_cast<std::size_t>(3 - c.dims); }

// Sets the input so that the output has this extent, and adds up to stride - 1 unused positions.
void fit_input(ConvCase& c, std::size_t d, std::int64_t extent, Random& random) {
  const std::int64_t reach = c.dilation[d] * (c.kernel[d] - 1) + 1;
  const std::int64_t unused = random.between(0, c.stride[d] - 1);
  c.input[d] = std::max<std::int64_t>(1, (extent - 1) * c.stride[d] + reach - 2 * c.padding[d] + unused);
}

// Draws one or two groups of at most `most` channels.
void draw_few_channels(ConvCase& c, std::int64_t most, Random& random) {
  c.groups = random.between(1, 2);
  c.in_channels = c.groups * random.between(1, most);
  c.out_channels = c.groups * random.between(1, most);
}

// Draws rows or columns that are longer than a register or than an 8-bit counter, with every length of tail.
void draw_long_rows(ConvCase& c, Random& random) {
  c.dims = static_cast<int>(random.between(1, 3));
  draw_few_channels(c, 2, random);
  const auto longest = static_cast<std::size_t>(random.between(3 - c.dims, 2));
  for (std::size_t d = first_dimension(c); d < 3; ++d) {
    c.kernel[d] = random.between(1, 3);
    c.stride[d] = random.between(1, 2);
    c.padding[d] = random.between(0, c.kernel[d] - 1);
    fit_input(c, d, d == longest ? random.between(17, 400) : random.between(1, 3), random);
  }
}

// Draws more positions than a 16-bit counter holds.
void draw_many_positions(ConvCase& c, Random& random) {
  c.dims = static_cast<int>(random.between(1, 2));
  const std::int64_t count = random.between(33'000, 70'000);
  c.input = {1, 1, count};
  if (c.dims == 2) c.input = {1, random.between(100, 300), 0};
  if (c.dims == 2) c.input[2] = count / c.input[1];
}

// Draws more channels than fit a block, with every length of tail, and few positions.
void draw_many_channels(ConvCase& c, Random& random) {
  c.dims = static_cast<int>(random.between(1, 3));
  const std::int64_t many = random.chance(1, 2) ? random.between(1, 130) : random.between(100, 600);
  const std::int64_t few = random.between(1, 5);
  c.groups = random.chance(1, 5) ? random.between(2, 5) : 1;
  const bool many_in = random.chance(1, 2);
  c.in_channels = c.groups * (many_in ? many : few) / (c.groups > 1 ? 2 : 1) / c.groups * c.groups;
  c.out_channels = c.groups * (many_in ? few : many) / (c.groups > 1 ? 2 : 1) / c.groups * c.groups;
  c.in_channels = std::max(c.in_channels, c.groups);
  c.out_channels = std::max(c.out_channels, c.groups);
  // This is a depthwise shape, with one or two outputs for each channel.
  if (random.chance(1, 4)) {
    c.groups = c.in_channels = many;
    c.out_channels = random.between(1, 2) * many;
  }
  c.kernel[2] = random.chance(1, 3) ? random.between(2, 3) : 1;
  for (std::size_t d = first_dimension(c); d < 3; ++d) fit_input(c, d, random.between(1, 2), random);
}

void draw_many_images(ConvCase& c, Random& random) {
  c.dims = static_cast<int>(random.between(1, 3));
  c.batch = random.between(3, 40);
  draw_few_channels(c, 3, random);
  for (std::size_t d = first_dimension(c); d < 3; ++d) {
    c.kernel[d] = random.between(1, 3);
    c.padding[d] = random.between(0, 1);
    fit_input(c, d, random.between(1, 4), random);
  }
}

// Draws wide kernels, strides, paddings and dilations, independently for each dimension.
void draw_wide_geometry(ConvCase& c, Random& random) {
  c.dims = static_cast<int>(random.between(1, 3));
  draw_few_channels(c, 2, random);
  const auto widest = static_cast<std::size_t>(random.between(3 - c.dims, 2));
  for (std::size_t d = first_dimension(c); d < 3; ++d) {
    c.kernel[d] = d == widest ? random.between(2, 40) : random.between(1, 3);
    c.stride[d] = random.between(1, 9);
    c.dilation[d] = random.between(1, 7);
    c.padding[d] = random.between(0, c.kernel[d] + 3);
    fit_input(c, d, random.between(1, 6), random);
  }
}

// Draws two or three loops that each go just beyond a usual block. Faults at the inner borders of tiles, strips and
// panels show only if all loops around them have a second block.
void draw_blocks(ConvCase& c, Random& random) {
  constexpr std::array<std::int64_t, 8> kBlocks{4, 8, 16, 32, 64, 128, 256, 512};
  enum Loop : std::size_t { rows, columns, outputs, products };
  constexpr std::array<std::array<bool, 4>, 8> kTogether{{{false, true, true, false},
                                                          {true, true, false, false},
                                                          {false, true, false, true},
                                                          {false, false, true, true},
                                                          {false, true, true, true},
                                                          {false, true, true, true},
                                                          {true, true, true, false},
                                                          {true, true, true, false}}};
  const auto& together = random.pick(kTogether);
  // The limit of products of the case.
  const std::int64_t most = random.chance(1, 12) ? 350'000 : 45'000;
  std::array<std::int64_t, 4> blocks{};
  std::array<std::int64_t, 4> beyond{};
  constexpr std::array<std::int64_t, 3> kUsual{8, 16, 32};
  // The value selects the same block for all loops, usual blocks, or any blocks.
  const std::uint32_t kind = random.below(3);
  const std::int64_t alike = random.pick(kUsual);
  for (std::size_t loop = 0; loop < 4; ++loop) {
    const std::int64_t usual = random.pick(kUsual);
    const std::int64_t any = random.pick(kBlocks);
    if (together[loop]) blocks[loop] = kind == 0 ? alike : kind == 1 ? usual : any;
    beyond[loop] = random.between(1, !together[loop] ? 2 : kind == 0 ? 3 : 9);
  }
  // This is a long strip with a few iterations of another loop.
  if (random.chance(1, 4)) {
    const auto other = random.pick(std::array<std::size_t, 3>{rows, outputs, products});
    blocks = {};
    blocks[columns] = random.chance(1, 2) ? 256 : 512;
    blocks[other] = random.pick(std::array<std::int64_t, 3>{4, 8, 16});
  }
  const auto extent = [&](std::size_t loop) {
    return blocks[loop] + std::min(beyond[loop], std::max<std::int64_t>(blocks[loop], 2));
  };
  while (extent(rows) * extent(columns) * extent(outputs) * extent(products) > most) {
    *std::ranges::max_element(blocks) /= 2;
  }
  c.dims = 2;
  c.input = {1, extent(rows), extent(columns)};
  c.out_channels = extent(outputs);
  c.in_channels = extent(products);
  // The same number of positions in a few rows looks like one loop to kernels that flatten them.
  if (blocks[rows] == 0 && blocks[columns] > 0 && random.chance(1, 3)) {
    c.input[1] = random.between(2, 9);
    c.input[2] = extent(columns) / c.input[1] + 1;
  }
  // A window of 3 x 3 gives about the same number of products.
  if (random.chance(1, 2)) {
    c.in_channels = (c.in_channels + 8) / 9;
    c.kernel = {1, 3, 3};
    c.padding = {0, 1, 1};
  }
}

// Draws reductions long enough for sums beyond 2^24; draw_case() draws their contents.
void draw_long_sums(ConvCase& c, Random& random) {
  c.in_channels = random.between(900, 3'000);
  c.out_channels = random.between(1, 6);
  c.input[2] = random.between(1, 2);
}

}  // namespace

bool draw_wide_shape(ConvCase& c, Random& random) {
  if (!random.chance(1, 4)) return false;
  if (random.chance(1, 4)) {
    draw_blocks(c, random);
    return true;
  }
  const std::uint32_t kind = random.below(100);
  if (kind < 27) {
    draw_long_rows(c, random);
  } else if (kind < 29) {
    draw_many_positions(c, random);
  } else if (kind < 55) {
    draw_many_channels(c, random);
  } else if (kind < 66) {
    draw_many_images(c, random);
  } else if (kind < 83) {
    draw_wide_geometry(c, random);
  } else {
    draw_long_sums(c, random);
  }
  return true;
}

void draw_wide_scales(ConvCase& c, Random& random) {
  if (!random.chance(1, 16)) return;
  const auto power = [&](std::int64_t low, std::int64_t high) {
    return std::ldexp(1.0 + random.unit(), static_cast<int>(random.between(low, high)));
  };
  switch (random.below(3)) {
    // The product of the scales is denormal, and the multiplier is not.
    case 0:
      c.activation_scale = power(-66, -63);
      for (double& scale : c.weight_scales) scale = power(-70, -66);
      c.output_scale = power(-126, -120);
      break;
    // The multiplier is denormal, and the bias is so large that it matters.
    case 1:
      c.activation_scale = power(-10, 0);
      for (double& scale : c.weight_scales) scale = power(-60, -58);
      c.output_scale = power(63, 68);
      c.bias.resize(static_cast<std::size_t>(c.out_channels));
      for (float& bias : c.bias) bias = static_cast<float>(power(58, 66));
      break;
    // The scales are anything that float32 holds.
    default:
      c.activation_scale = power(-126, 126);
      for (double& scale : c.weight_scales) scale = power(-126, 126);
      c.output_scale = power(-126, 126);
      break;
  }
}

}  // namespace tieout
