#pragma once
// Cutting a part out of a problem: some images, channels, rows and taps of it, with the contents that belong to them.

#include <array>
#include <cstdint>
#include <vector>

#include "cases/conv_case.h"

namespace tieout {

using Indices = std::vector<std::int64_t>;

// What is kept of each dimension. Positions outside of the input stand for padding and are filled with its value.
struct Selection {
  Indices batch;
  Indices groups;
  Indices group_inputs;           // input channels within every kept group
  Indices group_outputs;          // output channels within every kept group
  std::array<Indices, 3> input;   // depth, height, width
  std::array<Indices, 3> kernel;  // likewise
};

[[nodiscard]] Selection everything(const ConvCase& c);

// The problem that consists of the selected parts, contents listed. Stride, padding and dilation stay as they are; the
// caller changes them where the selection calls for it.
[[nodiscard]] ConvCase select(const ConvProblem& problem, const Selection& kept);

}  // namespace tieout
