#pragma once
// Many random cases, one after the other.

#include <cstdint>
#include <functional>

#include "oracle/libtorch.h"
#include "reports/run_summary.h"

namespace tieout {

struct FuzzOptions {
  std::int64_t cases = 10'000;
  std::uint64_t seed = 0;
  std::size_t max_findings = 20;  // reduced and kept; all are counted
};

// on_case is called after each case, and stops the run when it answers false.
[[nodiscard]] RunSummary fuzz(const FuzzOptions& options, LibTorch& reference,
                              const std::function<bool(const RunSummary&)>& on_case);

}  // namespace tieout
