#pragma once
// Runs many random cases in worker processes that may die: a crash costs one case and is a finding.
//
// A seed names a sequence of cases (props/generate/strategy.h). The sequence is cut into blocks of kBlock cases. A
// shard takes every count-th block, and a worker takes a block at a time in a process of its own, so that state which a
// case leaves behind in LibTorch lasts to the end of its block at most. Results are counted block by block in the order
// of the sequence, regardless of which block is ready first. Thus the counted cases are always the beginning of the
// sequence and depend on neither the number of workers nor their speed.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "cases/operators/any_case.h"
#include "props/campaign/campaign_options.h"
#include "props/verify/reference.h"
#include "props/verify/verify.h"
#include "reports/data/run_summary.h"
#include "reports/records/run_record.h"

namespace tieout {

// Returns the counts of a run before its first case: the machine, the classes, and the cells that the run should cover.
[[nodiscard]] RunSummary empty_run(const CampaignOptions& options, const Reference& reference);

// Holds the functions that a campaign calls. A function with a result returns false to end the run.
struct CampaignCalls {
  // Called a few times a second.
  std::function<bool(const RunSummary& so_far, const Underway& underway)> progress;
  // Called after each block with the totals so far, so that the caller can write them to disk.
  std::function<bool(const RecordBlock& block, const RunSummary& so_far)> block = [](auto&, auto&) { return true; };
  // Called if the run ends early, with what it has counted, because no process can be started any more, the subject
  // hangs on most cases, or its files have changed. why: what failed, and what to do.
  std::function<void(const std::string& why)> stopped = [](auto&) {};
};

// Holds the state from which a campaign starts.
struct CampaignStart {
  // The result of empty_run(), or the counts of an earlier run with the same options.
  RunSummary so_far;
  // Number of the shard's blocks that so_far includes.
  std::int64_t blocks_done = 0;
  // The cases of the corpus. They are verified before any case is drawn, and counted as block kCorpusBlock. The block
  // is written even if the corpus is empty, because findings that are added later may come from this campaign itself.
  // Nothing is replayed here if the corpus was replayed before or belongs to another shard.
  std::optional<std::vector<AnyCase>> corpus;
};

// Returns the totals. If `progress` stopped the run, differences from incomplete blocks are included; a run that
// resumes from the last complete block finds them again.
[[nodiscard]] RunSummary run_campaign(const CampaignOptions& options, const Reference& reference, CampaignStart start,
                                      const CampaignCalls& calls);

}  // namespace tieout
