#pragma once
// Cuts a part out of a problem: some of its images, channels, rows and taps, with the contents that belong to them.

#include <array>
#include <cstdint>
#include <vector>

#include "cases/conv_case.h"

namespace tieout {

using Indices = std::vector<std::int64_t>;

// Lists the indices that are kept of each dimension. Positions outside of the input stand for padding and are filled
// with its value.
struct Selection {
  Indices batch;
  Indices groups;
  // Input channels within every kept group.
  Indices group_inputs;
  // Output channels within every kept group.
  Indices group_outputs;
  // Depth, height, width.
  std::array<Indices, 3> input;
  // Depth, height, width.
  std::array<Indices, 3> kernel;
};

// Selects all of the case.
[[nodiscard]] Selection select_all(const ConvCase& c);

// Returns the problem that consists of the selected parts, with contents listed. Stride, padding and dilation stay as
// they are; the caller changes them where the selection requires it.
[[nodiscard]] ConvCase sub_case(const ConvProblem& problem, const Selection& kept);

}  // namespace tieout
