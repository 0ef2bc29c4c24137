#pragma once
// Provides the edits that a diagnosis tries: for every integer expression of the contract's kernel the formulas that a
// kernel may have in its place, and for requantization all combinations of its steps.

#include <functional>
#include <vector>

#include "props/diagnose/kernel_model.h"

namespace tieout {

// Returns the edits of everything but requantization, without conditions, each with one changed expression.
[[nodiscard]] const std::vector<Edit>& sum_edits();

// Calls f with every requantization, those with the fewest changed steps first. f returns false to end. levels: the
// ends of the output, where the kernel was seen to have others than 0 and 255; factors: measured factors of the
// multiplier.
struct RequantizationSpace {
  std::vector<int> lows, highs;
  std::vector<double> factors;
};

// Returns the combinations of the steps up to the rounded value, and of the steps after it. Any of the first can be
// combined with any of the second.
[[nodiscard]] std::vector<Requantization> scalings(const RequantizationSpace& space);
[[nodiscard]] std::vector<Requantization> endings(const RequantizationSpace& space);

}  // namespace tieout
