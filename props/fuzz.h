#pragma once
// Many random cases, in a worker process that may die: a crash costs one case and is a finding.

#include <cstdint>
#include <functional>

#include "oracle/libtorch.h"
#include "props/verify.h"
#include "reports/run_summary.h"

namespace tieout {

enum class Policy {
  hunting,  // draw_case()
  uniform,  // draw_uniform_case(): what random tests usually draw
};

struct FuzzOptions {
  std::int64_t cases = 10'000;
  std::uint64_t seed = 0;
  Policy policy = Policy::hunting;
  std::size_t max_findings = 20;  // reduced and kept; all are counted
  double seconds_per_case = 20;   // what a hang is
  Subject* subject = nullptr;     // who is verified; nullptr: LibTorch itself
  Rules rules;                    // for it
};

// progress is called from time to time, and stops the run when it answers false.
[[nodiscard]] RunSummary fuzz(const FuzzOptions& options, LibTorch& reference,
                              const std::function<bool(const RunSummary&)>& progress);

}  // namespace tieout
