#pragma once
// Defines the summary of a run: its counts and its findings.

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "reports/data/cause.h"
#include "reports/data/finding.h"

namespace tieout {

// The number of cases by outcome; each case has exactly one.
struct CaseCounts {
  std::int64_t passed = 0;        // verified and equal
  std::int64_t differed = 0;      // verified and not equal, or refused where an answer was required
  std::int64_t skipped = 0;       // not run, for a reason
  std::int64_t known_defect = 0;  // run, but not counted as verified: the reference is known to be wrong there
  std::int64_t crashed = 0;       // the reference died without a known defect
  std::int64_t unavailable = 0;   // an engine is absent, the subject cannot be loaded, or another reference fails
  std::int64_t no_resources = 0;  // not verified: the system refused memory or a process, or ended one

  [[nodiscard]] std::int64_t verified() const { return passed + differed; }
  [[nodiscard]] std::int64_t all() const {
    return verified() + skipped + known_defect + crashed + unavailable + no_resources;
  }

  CaseCounts& operator+=(const CaseCounts& other) {
    passed += other.passed;
    differed += other.differed;
    skipped += other.skipped;
    known_defect += other.known_defect;
    crashed += other.crashed;
    unavailable += other.unavailable;
    no_resources += other.no_resources;
    return *this;
  }
  bool operator==(const CaseCounts&) const = default;
};

// The names of one of the counts.
struct StatusName {
  std::int64_t CaseCounts::* count;
  // In run records and in JSON. These words are a file format: they stay, so that older files can be read.
  std::string_view recorded;
  // In RecordBlock::verdicts, one letter per case.
  char letter;
  // In texts.
  std::string_view text, meaning;
};

// All counts, in the order of Status (props/verify/verdict.h).
inline constexpr std::array<StatusName, 7> kStatusNames{{
    {&CaseCounts::passed, "passed", '.', "passed", "verified and equal"},
    {&CaseCounts::differed, "differed", 'D', "differed", "verified and not equal, or refused"},
    {&CaseCounts::skipped, "skipped", 's', "skipped", "not run, for a reason"},
    {&CaseCounts::known_defect, "mistrusted", 'm', "known defect", "the reference is known to be wrong there"},
    {&CaseCounts::crashed, "crashed", 'C', "crashed", "the reference died"},
    {&CaseCounts::unavailable, "errored", 'e', "unavailable", "an engine, the subject or its reference did not work"},
    {&CaseCounts::no_resources, "starved", 'x', "no resources", "no verdict: the machine lacked memory or processes"},
}};

// The name of RunSummary::accepted_deviations in run records and in JSON, which stays for the same reason.
inline constexpr const char* kRecordedDeviations = "excused";

// The counts of one cell. A cell without cases is one that the run should have reached and did not.
struct CellCounts {
  std::int64_t cases = 0, elements = 0, differed = 0;
  std::map<std::string, std::int64_t> classes;  // number of these cases that reach each class; a case can reach several

  bool operator==(const CellCounts&) const = default;
};

// Passed cases and their elements at which the reference's own code departs from the exact contract.
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
  std::string isa;       // instruction set that FBGEMM uses there: "avx512_vnni"
  std::string libtorch;  // "2.15.0"
  int cores = 0;
  std::string variables;  // environment variables that can change answers: "OMP_DYNAMIC=true"; empty: none is set

  bool operator==(const Machine&) const = default;
};

// The part of a sequence of cases that a shard runs: every count-th block from the index-th on.
struct Shard {
  std::int64_t index = 0, count = 1;

  bool operator==(const Shard&) const = default;
};

struct RunSummary {
  std::string command;         // command that repeats the run
  std::string subject;         // subject that was compared with the reference: "scalar", "./libmine.so"
  std::string subject_digest;  // subject_digest() of it; empty: LibTorch itself was verified
  std::string reference;       // "LibTorch 2.15.0, avx512_vnni"; "./libmine.so, digest 0123456789abcdef"
  Machine machine;
  std::string domain;  // domain that the cases were drawn from, in the words of --where; empty: all cases
  std::uint64_t seed = 0;
  Shard shard;
  std::int64_t started = 0;             // seconds since 1970, UTC
  std::vector<std::string> incomplete;  // "shard 2 of 3 is missing"
  bool finished = true;                 // false: the run was interrupted or killed, and this is what it had done
  CaseCounts cases;
  std::map<std::string, std::int64_t> reasons;  // number of cases that were not verified, by reason
  // Cases that the subject declined and that were replaced, by its reason.
  std::map<std::string, std::int64_t> declined;
  // Passed cases whose values are not LibTorch's, by the reason why they count as passed.
  std::map<std::string, std::int64_t> accepted_deviations;
  // Departures of passed cases that are equal to LibTorch, by cause.
  std::map<std::string, Departures> departures;
  std::map<Cell, CellCounts> cells;  // counts of the verified cases
  // Cases that differed or crashed, by sampled_kind() before shrinking.
  std::map<std::string, std::int64_t> differences;
  // The causes that a diagnosis of the subject has proven, the one that explains most cases first.
  std::vector<ReportedCause> causes;
  // Cases that differed or crashed, by name of the cause, by kind of failure, or kUnexplained; empty: see differences.
  std::map<std::string, std::int64_t> cases_by_cause;
  std::map<std::string, std::int64_t> strategies;  // number of cases by the strategy that drew them
  std::map<std::string, double> strategy_seconds;  // time of each strategy, summed over all workers
  std::vector<std::string> classes;                // all classes, in the order in which they are shown
  std::vector<std::string> missing_classes;        // classes that should have been reached and were not
  std::vector<Finding> findings;                   // by index; only the first of each kind are kept
  double seconds = 0;                              // wall time
  double seconds_in_engine = 0;                    // the part of the workers' time spent in LibTorch's calls
  int workers = 1;
  bool hunting = false;  // true if the run is meant to reach every class

  [[nodiscard]] std::int64_t elements() const {
    std::int64_t sum = 0;
    for (const auto& [cell, counts] : cells) sum += counts.elements;
    return sum;
  }

  // Returns the number of verified cases that reached a class.
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

// Fills missing_classes. A hunting run of at least 10,000 verified cases misses each class that no case reached, unless
// a domain or declined cases limit what it can reach. Any run of at least 100 verified cases misses "interior" if every
// result lay at a clamp, because such a run compares almost nothing.
void find_missing_classes(RunSummary& run);

// Returns the cases that differed or crashed, by the kinds that are reported. Without a diagnosis, those that were
// sampled by a guess are unexplained.
[[nodiscard]] std::map<std::string, std::int64_t> reported_differences(const RunSummary& run);

// Adds the counts of a run to a total; findings, seed and command are not changed.
void merge(RunSummary& total, const RunSummary& run);

// Sorts the findings by index and drops those of a kind beyond the first kKeptPerKind, so that the result does not
// depend on how the run was split.
void keep_first_findings(RunSummary& run);

// The number of findings of one kind that a run keeps, the first by index; the rest are only counted.
inline constexpr std::size_t kKeptPerKind = 4;

// Returns the counts by one field of the cells, such as the path or the engine.
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
