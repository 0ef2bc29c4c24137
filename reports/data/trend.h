#pragma once
// Compares the findings of several runs: which ones are new in a run, repeated, or resolved.

#include <cstdint>
#include <vector>

#include "reports/data/report.h"

namespace tieout {

struct TrendPoint {
  std::int64_t first = 0;     // number of findings that no earlier run has
  std::int64_t again = 0;     // number of findings that an earlier run has, too
  std::int64_t resolved = 0;  // number of findings of the previous run that this one does not have

  bool operator==(const TrendPoint&) const = default;
};

// Returns one point per run, in the order of the report.
[[nodiscard]] std::vector<TrendPoint> trend(const Report& report);

}  // namespace tieout
