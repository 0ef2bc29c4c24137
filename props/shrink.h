#pragma once
// Makes a failing case small while it keeps failing: shape first, then contents, then parameters.

#include <functional>
#include <vector>

#include "cases/conv_case.h"

namespace tieout {

// Simpler cases to try in place of c, the boldest first. All are valid and have their contents listed. Finite: every
// chain of candidates ends, because each is smaller by shape, then by contents, then by parameters.
[[nodiscard]] std::vector<ConvCase> shrink_candidates(const ConvCase& c);

struct ShrinkLimits {
  int tries = 20'000;
  double seconds = 1;
};

// Walks down the candidates while `still_fails` holds. Returns c with its contents listed at worst.
[[nodiscard]] ConvCase shrink(const ConvCase& c, const std::function<bool(const ConvCase&)>& still_fails,
                              const ShrinkLimits& limits = {});

}  // namespace tieout
