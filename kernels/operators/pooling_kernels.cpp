#include "kernels/operators/pooling_kernels.h"

#include <array>
#include <cstddef>
#include <vector>

#include "kernels/operators/quantized_arithmetic.h"

namespace tieout {
namespace {

// The positions of a window along one axis: begin, begin + step, ... before end.
struct Run {
  std::int64_t begin = 0, end = 0, step = 1;
};

// Returns the window's part along one axis that lies within the input.
Run clipped(Run run, std::int64_t extent) {
  while (run.begin < 0) run.begin += run.step;
  run.end = std::min(run.end, extent);
  return run;
}

// Calls visit(byte) for each element of the window. axes: the runs along the input's dimensions; the first ones, which
// the window does not span, have one position each.
template <typename Visit>
void visit_window(const OperatorInput& input, const std::vector<Run>& axes, Visit visit) {
  Shape index;
  for (const Run& run : axes) {
    if (run.begin >= run.end) return;
    index.push_back(run.begin);
  }
  for (;;) {
    std::int64_t offset = 0;
    for (std::size_t d = 0; d < axes.size(); ++d) offset = offset * input.shape[d] + index[d];
    visit(input.contents.values[static_cast<std::size_t>(offset)]);
    std::size_t d = axes.size();
    while (d-- > 0) {
      index[d] += axes[d].step;
      if (index[d] < axes[d].end) break;
      index[d] = axes[d].begin;
    }
    if (d == static_cast<std::size_t>(-1)) return;
  }
}

// Computes each output element by element(windows): the runs along the input's dimensions. run(d, at) returns the run
// along spatial dimension d for the output's index `at`.
template <typename RunOf, typename Element>
OperatorOutput for_each_window(const OperatorCase& c, RunOf run, Element element) {
  OperatorOutput output;
  output.values.shape = output_shape(c);
  const std::int64_t count = element_count(output.values.shape);
  output.values.values.reserve(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    const std::vector<std::int64_t> index = unravel(i, output.values.shape);
    std::vector<Run> axes{{index[0], index[0] + 1}, {index[1], index[1] + 1}};
    for (std::size_t d = 0; d + 2 < index.size(); ++d) axes.push_back(run(d, index[d + 2]));
    output.values.values.push_back(element(axes));
  }
  return output;
}

// The largest byte; 0 for a window without elements, which padding and dilation can give.
OperatorOutput max_pool(const OperatorCase& c) {
  const Shape kernel = extents(c, "kernel"), stride = extents(c, "stride"), padding = extents(c, "padding");
  const Shape dilation = extents(c, "dilation");
  const OperatorInput& input = c.inputs.front();
  const auto run = [&](std::size_t d, std::int64_t at) {
    const std::int64_t begin = at * stride[d] - padding[d];
    return clipped({begin, begin + (kernel[d] - 1) * dilation[d] + 1, dilation[d]}, input.shape[d + 2]);
  };
  return for_each_window(c, run, [&](const std::vector<Run>& axes) {
    std::int32_t largest = 0;
    visit_window(input, axes, [&](std::uint8_t q) { largest = std::max<std::int32_t>(largest, q); });
    return largest;
  });
}

// Returns the byte of the average of `count` elements whose differences from the zero point have that sum: the exact
// quotient, rounded once.
std::int32_t byte_of_average(std::int64_t sum, std::int64_t count, std::int64_t zero_point) {
  return operator_kernels::byte_of_scaled(static_cast<double>(sum) / static_cast<double>(count), zero_point);
}

// Returns the sum of the window's differences from the zero point.
std::int64_t sum_of_window(const OperatorInput& input, const std::vector<Run>& axes) {
  std::int64_t sum = 0;
  visit_window(input, axes, [&](std::uint8_t q) { sum += q - input.quantization.zero_point; });
  return sum;
}

std::int64_t positions(const std::vector<Run>& axes) {
  std::int64_t count = 1;
  for (const Run& axis : axes) count *= axis.end - axis.begin;
  return count;
}

// Padding is worth 0, the zero point. A window that reaches beyond the padding has only positions up to its end.
OperatorOutput avg_pool(const OperatorCase& c) {
  const Shape kernel = extents(c, "kernel"), stride = extents(c, "stride"), padding = extents(c, "padding");
  const OperatorInput& input = c.inputs.front();
  const std::int64_t divisor = integer(c, "divisor");
  const auto padded = [&](std::size_t d, std::int64_t at) -> Run {
    const std::int64_t begin = at * stride[d] - padding[d];
    return {begin, std::min(begin + kernel[d], input.shape[d + 2] + padding[d])};
  };
  return for_each_window(c, padded, [&](std::vector<Run> axes) {
    const std::int64_t with_padding = positions(axes);
    for (std::size_t d = 2; d < axes.size(); ++d) axes[d] = clipped(axes[d], input.shape[d]);
    const std::int64_t counted = flag(c, "exclude_pad") ? positions(axes) : with_padding;
    return byte_of_average(sum_of_window(input, axes), divisor != 0 ? divisor : counted, input.quantization.zero_point);
  });
}

// Windows reach from floor(at * input / output) to ceil((at + 1) * input / output).
OperatorOutput adaptive_avg_pool(const OperatorCase& c) {
  const Shape size = extents(c, "size");
  const OperatorInput& input = c.inputs.front();
  const auto run = [&](std::size_t d, std::int64_t at) -> Run {
    const std::int64_t extent = input.shape[d + 2];
    return {at * extent / size[d], ((at + 1) * extent + size[d] - 1) / size[d]};
  };
  return for_each_window(c, run, [&](const std::vector<Run>& axes) {
    return byte_of_average(sum_of_window(input, axes), positions(axes), input.quantization.zero_point);
  });
}

OperatorOutput mean(const OperatorCase& c) {
  const OperatorInput& input = c.inputs.front();
  OperatorOutput output;
  output.values.shape = output_shape(c);
  // The output's index of an element: its index along the dimensions that are not averaged.
  std::vector<bool> averaged(input.shape.size());
  for (const double d : attribute(c, "dims")) averaged[static_cast<std::size_t>(d)] = true;
  std::vector<std::int64_t> sums(static_cast<std::size_t>(element_count(output.values.shape)));
  for (std::size_t i = 0; i < input.contents.values.size(); ++i) {
    const std::vector<std::int64_t> index = unravel(static_cast<std::int64_t>(i), input.shape);
    std::int64_t at = 0;
    for (std::size_t d = 0; d < index.size(); ++d) {
      if (!averaged[d]) at = at * input.shape[d] + index[d];
    }
    sums[static_cast<std::size_t>(at)] += input.contents.values[i] - input.quantization.zero_point;
  }
  const auto count = std::ssize(input.contents.values) / std::ssize(sums);
  for (const std::int64_t sum : sums) {
    output.values.values.push_back(byte_of_average(sum, count, input.quantization.zero_point));
  }
  return output;
}

constexpr std::array kPoolingKernels{OperatorKernel{"max_pool", max_pool}, OperatorKernel{"avg_pool", avg_pool},
                                     OperatorKernel{"adaptive_avg_pool", adaptive_avg_pool},
                                     OperatorKernel{"mean", mean}};

}  // namespace

std::span<const OperatorKernel> pooling_kernels() { return kPoolingKernels; }

}  // namespace tieout
