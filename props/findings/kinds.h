#pragma once
// Limits the number of kinds of differences and of reasons that a run distinguishes, even if a subject's messages vary
// from case to case.

#include <cstddef>
#include <set>
#include <string>

#include "props/verify/outcome.h"
#include "reports/data/run_summary.h"

namespace tieout {

// The kind under which further kinds and reasons are counted once the limit is reached.
inline constexpr const char* kOtherKind = "other: this run tells no more kinds apart";

class Kinds {
 public:
  static constexpr std::size_t kMost = 64;

  // Starts with the kinds that the run has counted.
  explicit Kinds(const RunSummary& run);

  // Replaces the outcome's reason, and the reasons for declining, if they are new and the limit is reached. The result
  // depends on the preceding outcomes only: called in the order of the sequence, it gives the same kinds however a run
  // is split up or resumed.
  void limit(CaseOutcome& outcome);

 private:
  std::set<std::string> differences_, reasons_, declined_;
};

}  // namespace tieout
