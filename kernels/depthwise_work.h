#pragma once
// A row of the output of a depthwise layer, as the loops take it.

#include <cstdint>

#include "kernels/conv_plan.h"

namespace tieout {

// x: where the first window begins. y: the row; sums: nullptr, or likewise.
[[nodiscard]] DepthwiseRow depthwise_row(const ConvPlan& plan, const std::uint8_t* x, std::uint8_t* y,
                                         std::int32_t* sums);

// plane: of the input. first_line: of it, where the windows begin; it may lie outside.
[[nodiscard]] Depthwise3x3 depthwise_3x3_row(const ConvPlan& plan, const std::uint8_t* plane, std::int64_t first_line,
                                             std::uint8_t* y, std::int32_t* sums);

}  // namespace tieout
