#pragma once
// Many random cases, by worker processes that may die: a crash costs one case and is a finding.
//
// A seed names a sequence of cases (props/strategy.h). The sequence is cut into blocks of kBlock cases; a shard takes every
// count-th block, and a worker takes a block at a time in a process of its own, so that what a case leaves behind in
// LibTorch reaches the end of its block at most. Results are counted block after block, in the order of the sequence,
// whichever is ready first: what a run has counted is always the beginning of its sequence, and depends on neither the
// number of workers nor their speed.

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
  hunting,  // case_of()
  uniform,  // draw_uniform_case(): what random tests usually draw
};

struct CampaignOptions {
  std::int64_t cases = 10'000;  // of the sequence, all shards together
  double seconds = 0;           // wall time after which no further case is begun; 0: no limit
  std::uint64_t seed = 0;
  Policy policy = Policy::hunting;
  Domain domain;                         // that cases are drawn from
  std::int64_t attempts = 20;            // cases drawn for an index at most, where the subject declines them
  std::optional<std::int64_t> products;  // about how many a case may cost; else what the generator takes by itself
  Shard shard;
  int workers = 1;
  double seconds_per_case = 20;                          // what a hang is
  std::int64_t memory_per_case = std::int64_t{8} << 30;  // bytes beyond what a worker is born with
  std::size_t kept_per_kind = kKeptPerKind;              // findings reduced and kept; all are counted
  std::filesystem::path in_flight;                       // folder: what each worker is at; empty: not written down
  std::string command;                                   // that repeats the run
  Subject* subject = nullptr;                            // who is verified; nullptr: LibTorch itself
  Rules rules;                                           // for it
};

// Returns the limit of a case, seconds. A subject in a process of its own has a limit for each answer: that of the case is there
// for everything else, and leaves it the time.
[[nodiscard]] inline double case_limit(const CampaignOptions& options) {
  constexpr double kAnswers = 20;  // to a case, at most
  const bool has_its_own = options.subject != nullptr && options.subject->isolation() != Isolation::none;
  return std::max(options.seconds_per_case, has_its_own ? kAnswers * options.rules.seconds : 0);
}

[[nodiscard]] Machine machine_of(const LibTorch& reference);

// The head of every run: what is verified, against what, on which machine. subject: nullptr if LibTorch itself is verified.
[[nodiscard]] RunSummary run_of(std::string command, const LibTorch& reference, const Subject* subject);

// What a run has counted before its first case: machine, classes, the cells that it aims at.
[[nodiscard]] RunSummary empty_run(const CampaignOptions& options, const LibTorch& reference);

// What is being done, and not counted yet.
struct Underway {
  std::int64_t processes = 0;  // at work now
  std::int64_t answered = 0;   // cases of blocks that are not complete
};

// What a campaign calls. Each answers false to end the run.
struct CampaignCalls {
  std::function<bool(const RunSummary& so_far, const Underway& underway)> progress;  // a few times a second
  // After each block, with the whole so far: the place to write it down.
  std::function<bool(const RecordBlock& block, const RunSummary& so_far)> block = [](auto&, auto&) { return true; };
  // No process can be started any more: the run ends with what it has counted. why: what failed, and what to do.
  std::function<void(const std::string& why)> stopped = [](auto&) {};
};

// Where a campaign begins.
struct CampaignStart {
  RunSummary so_far;             // empty_run(), or what an earlier run of the same options counted
  std::int64_t blocks_done = 0;  // of the shard's, in so_far
  // Verified before anything is drawn, and counted as block kCorpusBlock, if only as an empty one: what is in the corpus
  // later this campaign may have found itself. Nothing: it has been, or is another shard's.
  std::optional<std::vector<ConvCase>> corpus;
};

// The number of the block of the corpus: it comes before all others.
inline constexpr std::int64_t kCorpusBlock = -1;

// The whole that was counted. Where `progress` ended it, so are the differences of blocks that are not complete: they have
// been seen, and are found again by who goes on from the last block.
[[nodiscard]] RunSummary run_campaign(const CampaignOptions& options, LibTorch& reference, CampaignStart start,
                                      const CampaignCalls& calls);

}  // namespace tieout
