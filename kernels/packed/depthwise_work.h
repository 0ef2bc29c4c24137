#pragma once
// Describes a row of the output of a depthwise layer in the form that the loops take.

#include <cstdint>

#include "kernels/packed/conv_plan.h"

namespace tieout {

// Returns a row for the loops of general depthwise layers. x: where the row's first window begins. y: the output row.
// sums: nullptr, or the row's integer sums.
[[nodiscard]] DepthwiseRow depthwise_row(const ConvPlan& plan, const std::uint8_t* x, std::uint8_t* y,
                                         std::int32_t* sums);

// Returns a row for the loops of 3x3 depthwise layers. plane: a plane of the input. first_line: the line of it at which
// the windows begin; it may lie outside of the plane. y, sums: as above.
[[nodiscard]] Depthwise3x3 depthwise_3x3_row(const ConvPlan& plan, const std::uint8_t* plane, std::int64_t first_line,
                                             std::uint8_t* y, std::int32_t* sums);

}  // namespace tieout
