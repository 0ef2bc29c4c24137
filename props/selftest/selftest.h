#pragma once
// Tests the tester: every fault of props/selftest is run as a subject, and the cases must find it.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "cases/text/domain.h"
#include "oracle/libtorch/libtorch.h"
#include "props/selftest/fault.h"
#include "reports/data/finding.h"

namespace tieout {

struct SelftestOptions {
  // Maximum number of cases for each fault.
  std::int64_t cases = 20'000;
  // Time limit for each fault.
  double seconds = 30;
  std::uint64_t seed = 1;
  double shrink_seconds = 1;
  // The domain from which cases are drawn.
  Domain domain;
};

// Holds the result for one kernel.
struct Hunt {
  bool found = false;
  // Number of cases tried, including the one that found the fault.
  std::int64_t cases = 0;
  // Time until then.
  double seconds = 0;
  // If found: the smallest case.
  Finding finding;
  // Number of activations and weights of that case.
  std::int64_t size = 0;
};

// Runs the subject on the hunting cases until one shows a difference.
[[nodiscard]] Hunt hunt(Subject& subject, LibTorch& reference, const SelftestOptions& options);

// True if the faulty kernel computes what FBGEMM computes on this CPU, so that it has no fault here.
[[nodiscard]] bool is_right_here(Fault fault, const Hardware& hardware);

}  // namespace tieout
