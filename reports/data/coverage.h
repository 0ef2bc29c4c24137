#pragma once
// Summarizes what a run compared, by engine, instruction set and path: the run's cells, added up over granularity and
// bias.

#include <string>
#include <vector>

#include "reports/data/run_summary.h"

namespace tieout {

struct CoverageRow {
  std::string engine, isa, path;
  CellCounts counts;

  bool operator==(const CoverageRow&) const = default;
};

// Returns one row per combination, sorted by engine, then instruction set, then path.
[[nodiscard]] std::vector<CoverageRow> coverage(const RunSummary& run);

}  // namespace tieout
