#pragma once
// Provides the edits that a diagnosis tries: for every integer expression of the contract's kernel the formulas that a
// kernel may have in its place, and for requantization all combinations of its steps.

#include <utility>
#include <vector>

#include "props/diagnose/kernel_model.h"

namespace tieout {

// Returns the edits of everything but requantization, without conditions, each with one changed expression.
[[nodiscard]] const std::vector<Edit>& sum_edits();

// Numbers that were measured on the kernel: ends of the output other than 0 and 255, factors of the multiplier, the
// fractions from which values >= 0 and < 0 are rounded up, and largest outputs in real units.
struct RequantizationSpace {
  std::vector<int> lows, highs;
  std::vector<double> factors;
  std::vector<std::pair<double, double>> fractions;
  std::vector<double> caps;
  // Whether the steps vary that only matter where a value does not fit int32.
  bool overflow = true;
  // Whether the bias is int32: what is computed from a float bias then does not vary.
  bool int32_bias = false;
};

// Returns the combinations of the steps up to the rounded value, and of the steps after it. Any of the first can be
// combined with any of the second.
[[nodiscard]] std::vector<Requantization> scalings(const RequantizationSpace& space);
[[nodiscard]] std::vector<Requantization> endings(const RequantizationSpace& space);

}  // namespace tieout
