#pragma once
// What a run did, in numbers, and what it found.

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "reports/finding.h"

namespace tieout {

// Every case ends in exactly one of these.
struct CaseCounts {
  std::int64_t passed = 0;      // verified, equal
  std::int64_t differed = 0;    // verified, and not equal; or refused where an answer was due
  std::int64_t skipped = 0;     // not run, for a reason
  std::int64_t mistrusted = 0;  // run, but the reference is known to be wrong there: not counted as verified
  std::int64_t crashed = 0;     // the reference died, and nobody knew that it would
  std::int64_t errored = 0;     // the engine is absent

  [[nodiscard]] std::int64_t verified() const { return passed + differed; }
  [[nodiscard]] std::int64_t all() const { return verified() + skipped + mistrusted + crashed + errored; }
  bool operator==(const CaseCounts&) const = default;
};

// What was compared of one combination of path, instruction set, engine, granularity and bias.
struct Cell {
  std::string engine, isa, path, granularity, bias;

  auto operator<=>(const Cell&) const = default;
};

struct CellCounts {
  std::int64_t cases = 0, elements = 0, differed = 0;
};

struct RunSummary {
  std::string command;    // that repeats the run
  std::string reference;  // "LibTorch 2.15.0, avx512_vnni"
  std::uint64_t seed = 0;
  CaseCounts cases;
  std::map<std::string, std::int64_t> reasons;  // of the cases that were not verified
  std::map<std::string, std::int64_t> excused;  // of passed cases with other values than LibTorch's: why they count
  std::map<Cell, CellCounts> cells;             // of those that were
  std::map<std::string, std::int64_t> cases_by_class;  // what the verified cases reached
  std::vector<std::string> missing_classes;            // that should have been reached, and were not
  std::vector<Finding> findings;
  double seconds = 0;            // wall time
  double seconds_in_engine = 0;  // of the worker's time, inside LibTorch's own calls

  [[nodiscard]] std::int64_t elements() const {
    std::int64_t sum = 0;
    for (const auto& [cell, counts] : cells) sum += counts.elements;
    return sum;
  }
};

// 0 verified and equal, 1 differences or crashes, 3 nothing could be verified, or not all that should have been.
[[nodiscard]] inline int exit_status(const RunSummary& run) {
  if (run.cases.differed + run.cases.crashed > 0) return 1;
  return run.cases.verified() == 0 || run.elements() == 0 || !run.missing_classes.empty() ? 3 : 0;
}

// The counts by one field of the cells: by path, by engine, ...
[[nodiscard]] inline std::map<std::string, CellCounts> counts_by(const RunSummary& run, std::string Cell::* field) {
  std::map<std::string, CellCounts> sums;
  for (const auto& [cell, counts] : run.cells) {
    CellCounts& sum = sums[cell.*field];
    sum.cases += counts.cases;
    sum.elements += counts.elements;
    sum.differed += counts.differed;
  }
  return sums;
}

}  // namespace tieout
