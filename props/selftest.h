#pragma once
// Who tests the tester: every fault of props/faults, planted and hunted for.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "cases/domain.h"
#include "oracle/libtorch.h"
#include "props/faults/fault.h"
#include "reports/finding.h"

namespace tieout {

struct SelftestOptions {
  std::int64_t cases = 20'000;  // at most, for each fault
  double seconds = 30;          // likewise
  std::uint64_t seed = 1;
  double shrink_seconds = 1;
  Domain domain;  // that cases are drawn from
};

// How one kernel fared.
struct Hunt {
  bool found = false;
  std::int64_t cases = 0;  // tried, that which found it included
  double seconds = 0;      // until then
  Finding finding;         // where found: the smallest case
  std::int64_t size = 0;   // its activations and weights
};

// Runs the subject on the hunting cases until one shows a difference.
[[nodiscard]] Hunt hunt(Subject& subject, LibTorch& reference, const SelftestOptions& options);

// Whether the faulty kernel does on this CPU what FBGEMM does on it, so that it is none there.
[[nodiscard]] bool is_right_here(Fault fault, const Hardware& hardware);

}  // namespace tieout
