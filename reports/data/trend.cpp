#include "reports/data/trend.h"

#include <algorithm>

namespace tieout {

std::vector<TrendPoint> trend(const Report& report) {
  std::vector<TrendPoint> points(report.runs.size());
  for (const ReportedFinding& reported : report.findings) {
    for (const std::size_t run : reported.runs) {
      ++(run == reported.runs.front() ? points[run].first : points[run].again);
      const bool next_has_it = std::ranges::binary_search(reported.runs, run + 1);
      if (run + 1 < points.size() && !next_has_it) ++points[run + 1].resolved;
    }
  }
  return points;
}

}  // namespace tieout
