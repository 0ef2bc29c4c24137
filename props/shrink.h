#pragma once
// Makes a failing case small while it keeps failing: shape first, then contents, then parameters.

#include <cstdint>
#include <functional>
#include <vector>

#include "cases/conv_case.h"

namespace tieout {

// Simpler cases to try in place of c, the boldest first. All are valid and have their contents listed. Finite: every
// chain of candidates ends, because each is smaller by shape, then by contents, then by parameters.
[[nodiscard]] std::vector<ConvCase> shrink_candidates(const ConvCase& c);

// Where it ends at the latest. All but the seconds are the same on every machine, and so is the case that they leave.
struct ShrinkLimits {
  int tries = 20'000;
  int steps = 20'000;                     // tries that still fail
  std::int64_t products = kMostProducts;  // of activations and weights, all tries together
  double seconds = 1;

  static constexpr std::int64_t kMostProducts = std::int64_t{1} << 62;
};

// Walks down the candidates while `still_fails` holds. Returns c with its contents listed at worst.
[[nodiscard]] ConvCase shrink(const ConvCase& c, const std::function<bool(const ConvCase&)>& still_fails,
                              const ShrinkLimits& limits = {});

}  // namespace tieout
