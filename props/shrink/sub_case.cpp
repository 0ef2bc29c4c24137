#include "props/shrink/sub_case.h"

#include <numeric>

namespace tieout {
namespace {

Indices all(std::int64_t count) {
  Indices indices(static_cast<std::size_t>(count));
  std::iota(indices.begin(), indices.end(), 0);
  return indices;
}

std::int64_t size(const Indices& indices) { return static_cast<std::int64_t>(indices.size()); }

// Returns the channels that the kept groups and the kept channels within them select.
Indices channels(const Indices& groups, const Indices& within, std::int64_t per_group) {
  Indices kept;
  for (const std::int64_t group : groups) {
    for (const std::int64_t channel : within) kept.push_back(group * per_group + channel);
  }
  return kept;
}

template <typename T>
std::vector<T> pick(const std::vector<T>& values, const Indices& kept) {
  std::vector<T> picked;
  for (const std::int64_t index : kept) picked.push_back(values[static_cast<std::size_t>(index)]);
  return picked;
}

// Gathers elements of a five-dimensional row-major array, and `outside` where an index exceeds it.
template <typename T>
std::vector<T> gather(const std::vector<T>& values, const std::array<std::int64_t, 5>& extents,
                      const std::array<Indices, 5>& kept, T outside) {
  std::vector<T> gathered;
  for (const std::int64_t a : kept[0])
    for (const std::int64_t b : kept[1])
      for (const std::int64_t d : kept[2])
        for (const std::int64_t h : kept[3])
          for (const std::int64_t w : kept[4]) {
            const bool inside = 0 <= d && d < extents[2] && 0 <= h && h < extents[3] && 0 <= w && w < extents[4];
            const std::int64_t at = (((a * extents[1] + b) * extents[2] + d) * extents[3] + h) * extents[4] + w;
            gathered.push_back(inside ? values[static_cast<std::size_t>(at)] : outside);
          }
  return gathered;
}

}  // namespace

Selection select_all(const ConvCase& c) {
  return {.batch = all(c.batch),
          .groups = all(c.groups),
          .group_inputs = all(c.in_channels / c.groups),
          .group_outputs = all(c.out_channels / c.groups),
          .input = {all(c.input[0]), all(c.input[1]), all(c.input[2])},
          .kernel = {all(c.kernel[0]), all(c.kernel[1]), all(c.kernel[2])}};
}

ConvCase sub_case(const ConvProblem& problem, const Selection& kept) {
  const ConvCase& c = problem.spec;
  const Indices inputs = channels(kept.groups, kept.group_inputs, c.in_channels / c.groups);
  const Indices outputs = channels(kept.groups, kept.group_outputs, c.out_channels / c.groups);
  ConvCase part = c;
  part.seed = 0;
  part.batch = size(kept.batch);
  part.groups = size(kept.groups);
  part.in_channels = size(inputs);
  part.out_channels = size(outputs);
  for (std::size_t d = 0; d < 3; ++d) {
    part.input[d] = size(kept.input[d]);
    part.kernel[d] = size(kept.kernel[d]);
  }
  part.activation = {Fill::listed,
                     gather(problem.activation, {c.batch, c.in_channels, c.input[0], c.input[1], c.input[2]},
                            {kept.batch, inputs, kept.input[0], kept.input[1], kept.input[2]},
                            static_cast<std::uint8_t>(c.activation_zero_point))};
  part.weight = {
      Fill::listed,
      gather(problem.weight, {c.out_channels, c.in_channels / c.groups, c.kernel[0], c.kernel[1], c.kernel[2]},
             {outputs, kept.group_inputs, kept.kernel[0], kept.kernel[1], kept.kernel[2]}, std::int8_t{0})};
  if (c.granularity == Granularity::per_channel) {
    part.weight_scales = pick(c.weight_scales, outputs);
    part.weight_zero_points = pick(c.weight_zero_points, outputs);
  }
  if (!c.bias.empty()) part.bias = pick(c.bias, outputs);
  if (!c.int32_bias.empty()) part.int32_bias = pick(c.int32_bias, outputs);
  return part;
}

}  // namespace tieout
