#pragma once
// How the findings of several runs relate: what a run met first, met again, and no longer met.

#include <cstdint>
#include <vector>

#include "reports/report.h"

namespace tieout {

struct TrendPoint {
  std::int64_t first = 0;  // findings that no earlier run has
  std::int64_t again = 0;  // that an earlier run has, too
  std::int64_t gone = 0;   // that the run before has, and this one has not

  bool operator==(const TrendPoint&) const = default;
};

// One point a run, in the report's order.
[[nodiscard]] std::vector<TrendPoint> trend(const Report& report);

}  // namespace tieout
