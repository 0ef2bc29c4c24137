#pragma once
// Runs many random cases in worker processes that may die: a crash costs one case and is a finding.
//
// A seed names a sequence of cases (props/strategy.h). The sequence is cut into blocks of kBlock cases. A shard takes
// every count-th block, and a worker takes a block at a time in a process of its own, so that state which a case leaves
// behind in LibTorch lasts to the end of its block at most. Results are counted block by block in the order of the
// sequence, regardless of which block is ready first. Thus the counted cases are always the beginning of the sequence
// and depend on neither the number of workers nor their speed.

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "cases/domain.h"
#include "oracle/libtorch.h"
#include "props/verify.h"
#include "reports/run_record.h"
#include "reports/run_summary.h"

namespace tieout {

inline constexpr std::int64_t kBlock = 500;

enum class Policy {
  // Cases come from case_of().
  hunting,
  // Cases come from draw_uniform_case(), which draws data as random tests usually do.
  uniform,
};

struct CampaignOptions {
  // Number of cases of the sequence, all shards together.
  std::int64_t cases = 10'000;
  // Wall time in seconds after which no further case is started; 0: no limit.
  double seconds = 0;
  std::uint64_t seed = 0;
  Policy policy = Policy::hunting;
  // The domain from which cases are drawn.
  Domain domain;
  // Maximum number of cases drawn for one index while the subject declines them.
  std::int64_t attempts = 20;
  // Approximate number of products that a case may cost; empty: the generator's default.
  std::optional<std::int64_t> products;
  Shard shard;
  int workers = 1;
  // Time limit of one case, seconds; a case that exceeds it counts as a hang.
  double seconds_per_case = 20;
  // Bytes that a worker may allocate beyond those that it starts with.
  std::int64_t memory_per_case = std::int64_t{8} << 30;
  // Number of findings of each kind that are shrunk and kept; all are counted.
  std::size_t kept_per_kind = kKeptPerKind;
  // Folder in which each worker writes down its current case; empty: nothing is written.
  std::filesystem::path in_flight;
  // The command that repeats the run.
  std::string command;
  // The subject under test; nullptr: LibTorch itself.
  Subject* subject = nullptr;
  // The rules for the subject.
  Rules rules;
};

// Returns the time limit of a case, seconds. A subject in a process of its own has a limit for each answer; the case's
// limit is then raised to leave time for all of its answers.
[[nodiscard]] inline double case_limit(const CampaignOptions& options) {
  // The largest number of answers to one case.
  constexpr double kAnswers = 20;
  const bool has_its_own = options.subject != nullptr && options.subject->isolation() != Isolation::none;
  return std::max(options.seconds_per_case, has_its_own ? kAnswers * options.rules.seconds : 0);
}

[[nodiscard]] Machine machine_of(const LibTorch& reference);

// Returns the head of every run: what is verified, against what, and on which machine. subject: nullptr if LibTorch
// itself is verified.
[[nodiscard]] RunSummary run_of(std::string command, const LibTorch& reference, const Subject* subject);

// Returns the counts of a run before its first case: the machine, the classes, and the cells that the run should cover.
[[nodiscard]] RunSummary empty_run(const CampaignOptions& options, const LibTorch& reference);

// Holds work that is in progress and not counted yet.
struct Underway {
  // Number of processes that run now.
  std::int64_t processes = 0;
  // Number of verified cases in blocks that are not complete.
  std::int64_t answered = 0;
};

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
  std::optional<std::vector<ConvCase>> corpus;
};

// The number of the corpus' block, which comes before all others.
inline constexpr std::int64_t kCorpusBlock = -1;

// Returns the totals. If `progress` stopped the run, differences from incomplete blocks are included; a run that
// resumes from the last complete block finds them again.
[[nodiscard]] RunSummary run_campaign(const CampaignOptions& options, LibTorch& reference, CampaignStart start,
                                      const CampaignCalls& calls);

}  // namespace tieout
