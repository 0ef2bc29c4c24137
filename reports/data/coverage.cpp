#include "reports/data/coverage.h"

namespace tieout {

std::vector<CoverageRow> coverage(const RunSummary& run) {
  std::vector<CoverageRow> rows;
  for (const auto& [cell, counts] : run.cells) {  // sorted by the three fields of a row
    if (rows.empty() || rows.back().engine != cell.engine || rows.back().isa != cell.isa ||
        rows.back().path != cell.path) {
      rows.push_back({.engine = cell.engine, .isa = cell.isa, .path = cell.path});
    }
    CellCounts& sum = rows.back().counts;
    sum.cases += counts.cases;
    sum.elements += counts.elements;
    sum.differed += counts.differed;
    for (const auto& [cls, count] : counts.classes) sum.classes[cls] += count;
  }
  return rows;
}

}  // namespace tieout
