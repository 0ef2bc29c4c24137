#pragma once
// Shrinks a failing case while it keeps failing: shape first, then contents, then parameters.

#include <cstdint>
#include <functional>
#include <vector>

#include "cases/conv_case.h"

namespace tieout {

// Returns simpler cases to try in place of c, the largest simplifications first. All are valid and have their contents
// listed. Every chain of candidates ends, because each candidate is smaller by shape, then by contents, then by
// parameters.
[[nodiscard]] std::vector<ConvCase> shrink_candidates(const ConvCase& c);

// Limits the work. All limits but `seconds` end shrinking at the same case on every machine.
struct ShrinkLimits {
  int tries = 20'000;
  int steps = 20'000;  // Number of tries that still fail.
  // Number of multiplications that the convolutions of all tries together need.
  std::int64_t products = kMostProducts;
  double seconds = 1;

  static constexpr std::int64_t kMostProducts = std::int64_t{1} << 62;
};

// Replaces the case by its candidates while `still_fails` holds. Returns c with its contents listed if none of them
// fails.
[[nodiscard]] ConvCase shrink(const ConvCase& c, const std::function<bool(const ConvCase&)>& still_fails,
                              const ShrinkLimits& limits = {});

}  // namespace tieout
