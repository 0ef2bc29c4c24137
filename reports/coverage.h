#pragma once
// What was compared, by engine, instruction set and path: the cells of a run with granularity and bias summed up.

#include <string>
#include <vector>

#include "reports/run_summary.h"

namespace tieout {

struct CoverageRow {
  std::string engine, isa, path;
  CellCounts counts;

  bool operator==(const CoverageRow&) const = default;
};

// By engine, then instruction set, then path.
[[nodiscard]] std::vector<CoverageRow> coverage(const RunSummary& run);

}  // namespace tieout
