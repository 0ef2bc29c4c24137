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
  std::int64_t passed = 0, differed = 0, skipped = 0, errored = 0;

  [[nodiscard]] std::int64_t verified() const { return passed + differed; }
  [[nodiscard]] std::int64_t all() const { return verified() + skipped + errored; }
  bool operator==(const CaseCounts&) const = default;
};

struct RunSummary {
  std::string command;    // that repeats the run
  std::string reference;  // "fbgemm, LibTorch 2.15.0, native avx512_vnni"
  std::string subject;    // "scalar"
  std::uint64_t seed = 0;
  CaseCounts cases;
  std::map<std::string, std::int64_t> reasons;           // of skipped and errored cases
  std::map<std::string, std::int64_t> cases_by_path;     // verified
  std::map<std::string, std::int64_t> elements_by_path;  // compared
  std::map<std::string, std::int64_t> cases_by_class;    // what the drawn cases reached
  std::vector<Finding> findings;
  double seconds = 0;            // wall time
  double seconds_in_engine = 0;  // of it, inside LibTorch's own calls

  [[nodiscard]] std::int64_t elements() const {
    std::int64_t sum = 0;
    for (const auto& [path, count] : elements_by_path) sum += count;
    return sum;
  }
};

// 0 verified and equal, 1 differences, 3 nothing could be verified.
[[nodiscard]] inline int exit_status(const RunSummary& run) {
  if (run.cases.differed > 0) return 1;
  return run.cases.verified() == 0 || run.elements() == 0 ? 3 : 0;
}

}  // namespace tieout
