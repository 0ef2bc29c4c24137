#include "cases/conv_case.h"

#include <algorithm>
#include <utility>

namespace tieout {
namespace {

// c: the case whose dimensions the shape has; a linear layer has none.
Shape with_spatial(std::int64_t first, std::int64_t second, const Spatial& spatial, const ConvCase& c) {
  Shape shape{first, second};
  if (c.execution.call != Call::linear) shape.insert(shape.end(), spatial.end() - c.dims, spatial.end());
  return shape;
}

}  // namespace

Spatial end_padding(const ConvCase& c) {
  Spatial end = c.padding;
  for (std::size_t d = 0; d < end.size(); ++d) end[d] += c.extra_end_padding[d];
  return end;
}

Spatial padded_size(const ConvCase& c) {
  Spatial size = end_padding(c);
  for (std::size_t d = 0; d < size.size(); ++d) size[d] += c.padding[d] + c.input[d];
  return size;
}

Spatial output_size(const ConvCase& c) {
  const Spatial padded = padded_size(c);
  Spatial size{};
  for (std::size_t d = 0; d < size.size(); ++d) {
    const std::int64_t room = padded[d] - c.dilation[d] * (c.kernel[d] - 1) - 1;
    size[d] = room < 0 ? 0 : room / c.stride[d] + 1;
  }
  return size;
}

Answers as_stored(Answers answers, OutputType type) {
  for (std::int32_t& value : answers.values) value -= stored_shift(type);
  return answers;
}

bool has_even_padding(const ConvCase& c) { return c.extra_end_padding == Spatial{}; }

ConvCase with_even_padding(ConvCase c) {
  if (has_even_padding(c)) return c;
  const Spatial end = end_padding(c);
  for (std::size_t d = 0; d < end.size(); ++d) {
    const std::int64_t common = std::min(c.padding[d], end[d]);
    c.input[d] += c.padding[d] + end[d] - 2 * common;
    c.padding[d] = common;
  }
  c.extra_end_padding = {};
  c.activation = {};
  return c;
}

ConvProblem with_even_padding(ConvProblem problem) {
  const ConvCase& from = problem.spec;
  if (has_even_padding(from)) return problem;
  ConvCase to = with_even_padding(from);
  std::vector<std::uint8_t> values(static_cast<std::size_t>(element_count(activation_shape(to))),
                                   static_cast<std::uint8_t>(from.activation_zero_point));
  // The input begins this far from the begin of the enlarged one.
  Spatial begin{};
  for (std::size_t d = 0; d < begin.size(); ++d) begin[d] = from.padding[d] - to.padding[d];
  const std::uint8_t* row = problem.activation.data();
  for (std::int64_t plane = 0; plane < from.batch * from.in_channels; ++plane) {
    for (std::int64_t d = 0; d < from.input[0]; ++d) {
      for (std::int64_t h = 0; h < from.input[1]; ++h, row += from.input[2]) {
        const std::int64_t at = ((plane * to.input[0] + d + begin[0]) * to.input[1] + h + begin[1]) * to.input[2];
        std::copy_n(row, from.input[2], values.begin() + at + begin[2]);
      }
    }
  }
  to.activation = {Fill::listed, values};
  return {std::move(to), std::move(values), std::move(problem.weight)};
}

Shape activation_shape(const ConvCase& c) { return with_spatial(c.batch, c.in_channels, c.input, c); }

Shape weight_shape(const ConvCase& c) { return with_spatial(c.out_channels, c.in_channels / c.groups, c.kernel, c); }

Shape output_shape(const ConvCase& c) { return with_spatial(c.batch, c.out_channels, output_size(c), c); }

}  // namespace tieout
