#pragma once
// Keeps the kinds of differences and the reasons of a run few, also where a subject's words vary from case to case.

#include <cstddef>
#include <set>
#include <string>

#include "props/outcome.h"
#include "reports/run_summary.h"

namespace tieout {

// What kinds and reasons beyond the most that a run tells apart are counted as.
inline constexpr const char* kOtherKind = "other: this run tells no more kinds apart";

class Kinds {
 public:
  static constexpr std::size_t kMost = 64;

  // Goes on from what the run has counted.
  explicit Kinds(const RunSummary& run);

  // Replaces the outcome's reason, and the reasons for declining, if they are new and there are kMost already. Depends on the outcomes before it only:
  // called in the order of the sequence, it gives the same kinds however a run is split up or resumed.
  void limit(CaseOutcome& outcome);

 private:
  std::set<std::string> differences_, reasons_, declined_;
};

}  // namespace tieout
