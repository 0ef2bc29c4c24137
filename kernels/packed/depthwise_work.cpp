#include "kernels/packed/depthwise_work.h"

#include <limits>

namespace tieout {

DepthwiseRow depthwise_row(const ConvPlan& plan, const std::uint8_t* x, std::uint8_t* y, std::int32_t* sums) {
  const ConvCase& c = plan.spec;
  const bool int16 = plan.arithmetic.activation_sum == Arithmetic::ActivationSum::int16;
  const std::int64_t period_bytes = plan.period * 4 * plan.loops.block;
  return {.x = x,
          .bytes = plan.out[2] * c.out_channels,
          .x_distance = plan.runs_on ? period_bytes : c.stride[2] * c.in_channels,
          .y_distance = plan.runs_on ? period_bytes : c.out_channels,
          .runs_on = plan.runs_on,
          .period = plan.period,
          .tap_offsets = plan.run_offsets.data(),
          .quads = static_cast<std::int64_t>(plan.run_offsets.size()) / kStep,
          .weights = plan.weights.front().bytes,
          .ones = plan.weight_zero_points ? plan.ones.front().bytes : nullptr,
          .largest_activation_sum = int16 ? 32767 : std::numeric_limits<std::int32_t>::max(),
          .numbers = plan.numbers.data(),
          .y = y,
          .sums = sums};
}

Depthwise3x3 depthwise_3x3_row(const ConvPlan& plan, const std::uint8_t* plane, std::int64_t first_line,
                               std::uint8_t* y, std::int32_t* sums) {
  const ConvCase& c = plan.spec;
  const auto* const outside = reinterpret_cast<const std::uint8_t*>(plan.outside.front().bytes);
  const auto line = [&](std::int64_t h) { return h >= 0 && h < c.input[1] ? plane + h * plan.line_bytes : outside; };
  return {.lines = {line(first_line), line(first_line + 1), line(first_line + 2)},
          .outside = outside,
          .width = c.input[2],
          .channels = c.out_channels,
          .padding = c.padding[2],
          .stride = c.stride[2],
          .positions = plan.out[2],
          .pixels = plan.pixels,
          .weights = plan.weights.front().bytes,
          .numbers = plan.numbers.data(),
          .y = y,
          .sums = sums};
}

}  // namespace tieout
