#pragma once
// What a run did, in numbers, and what it found.

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
  std::int64_t starved = 0;     // not verified: the machine refused memory or a process, or ended one

  [[nodiscard]] std::int64_t verified() const { return passed + differed; }
  [[nodiscard]] std::int64_t all() const { return verified() + skipped + mistrusted + crashed + errored + starved; }

  CaseCounts& operator+=(const CaseCounts& other) {
    passed += other.passed;
    differed += other.differed;
    skipped += other.skipped;
    mistrusted += other.mistrusted;
    crashed += other.crashed;
    errored += other.errored;
    starved += other.starved;
    return *this;
  }
  bool operator==(const CaseCounts&) const = default;
};

// What was compared of one cell. A cell with no cases is one that the run aims at and did not reach.
struct CellCounts {
  std::int64_t cases = 0, elements = 0, differed = 0;
  std::map<std::string, std::int64_t> classes;  // of those cases, how many reach each class; a case reaches several

  bool operator==(const CellCounts&) const = default;
};

// Passed cases, and their elements, at which the reference's own code departs from the exact contract.
struct Departures {
  std::int64_t cases = 0, elements = 0;

  Departures& operator+=(const Departures& other) {
    cases += other.cases;
    elements += other.elements;
    return *this;
  }
  bool operator==(const Departures&) const = default;
};

struct Machine {
  std::string cpu;       // "AMD EPYC 9654 96-Core Processor"
  std::string isa;       // what FBGEMM runs with there: "avx512_vnni"
  std::string libtorch;  // "2.15.0"
  int cores = 0;
  std::string variables;  // those of the environment that can change answers: "OMP_DYNAMIC=true"; empty: none is set

  bool operator==(const Machine&) const = default;
};

// Which part of a sequence of cases: every count-th block from the index-th on.
struct Shard {
  std::int64_t index = 0, count = 1;

  bool operator==(const Shard&) const = default;
};

struct RunSummary {
  std::string command;         // that repeats the run
  std::string subject;         // who was compared with the reference: "scalar", "./libmine.so"
  std::string subject_digest;  // of its files, as kernels/subject_digest.h has it; empty: LibTorch itself was verified
  std::string reference;       // "LibTorch 2.15.0, avx512_vnni"
  Machine machine;
  std::string domain;  // that the cases were drawn from, as --where has it; empty: all cases
  std::uint64_t seed = 0;
  Shard shard;
  std::int64_t started = 0;             // seconds since 1970, UTC
  std::vector<std::string> incomplete;  // "shard 2 of 3 is missing"
  bool finished = true;                 // false: it was interrupted or killed, and what it had done is here
  CaseCounts cases;
  std::map<std::string, std::int64_t> reasons;   // of the cases that were not verified
  std::map<std::string, std::int64_t> declined;  // cases that the subject declined and others replaced, by its reason
  std::map<std::string, std::int64_t> excused;   // of passed cases with other values than LibTorch's: why they count
  std::map<std::string, Departures> departures;  // of passed cases that are equal to LibTorch, by cause
  std::map<Cell, CellCounts> cells;              // of those that were verified
  std::map<std::string, std::int64_t> differences;  // cases that differed or crashed, by kind_of() before it was shrunk
  std::map<std::string, std::int64_t> strategies;   // cases by what they were drawn for
  std::map<std::string, double> strategy_seconds;   // what each of them took, all workers together
  std::vector<std::string> classes;                 // all there are, in the order in which they are shown
  std::vector<std::string> missing_classes;         // that should have been reached, and were not
  std::vector<Finding> findings;                    // by index; of many alike only the first are kept
  double seconds = 0;                               // wall time
  double seconds_in_engine = 0;                     // of the workers' time, inside LibTorch's own calls
  int workers = 1;
  bool hunting = false;  // meant to reach every class: if it is long enough, one that it misses is a hole

  [[nodiscard]] std::int64_t elements() const {
    std::int64_t sum = 0;
    for (const auto& [cell, counts] : cells) sum += counts.elements;
    return sum;
  }

  // How many of the verified cases reached a class.
  [[nodiscard]] std::int64_t reached(const std::string& cls) const {
    std::int64_t sum = 0;
    for (const auto& [cell, counts] : cells) {
      const auto found = counts.classes.find(cls);
      if (found != counts.classes.end()) sum += found->second;
    }
    return sum;
  }

  bool operator==(const RunSummary&) const = default;
};

// Fills missing_classes: of a hunting run of at least 10,000 verified cases those that no case reached; of any run of at
// least 100 "interior" if every result lay at a clamp, because such a run compares next to nothing.
void find_missing_classes(RunSummary& run);

// Adds the counts of a run to a total; findings, seed and command stay.
void merge(RunSummary& total, const RunSummary& run);

// Sorts the findings by index and drops those of a kind beyond the first kKeptPerKind, so that what is kept does not depend
// on how a run was split up.
void keep_first_findings(RunSummary& run);

// How many findings of one kind a run keeps, the first by index: the rest are counted.
inline constexpr std::size_t kKeptPerKind = 4;

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
