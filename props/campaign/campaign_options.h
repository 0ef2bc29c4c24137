#pragma once
// What a campaign is asked for, and what the sequence of its cases depends on.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cases/operators/operator_case.h"
#include "cases/text/domain.h"
#include "kernels/subject/subject.h"
#include "props/verify/reference.h"
#include "props/verify/verdict.h"
#include "reports/data/run_summary.h"

namespace tieout {

inline constexpr std::int64_t kBlock = 500;

enum class Sampling {
  // Cases come from case_of().
  by_strategy,
  // Cases come from draw_uniform_case(), which draws data as random tests usually do.
  uniform,
};

struct CampaignOptions {
  // Number of cases of the sequence, all shards together.
  std::int64_t cases = 10'000;
  // Wall time in seconds after which no further case is started; 0: no limit.
  double seconds = 0;
  std::uint64_t seed = 0;
  Sampling sampling = Sampling::by_strategy;
  // True if convolutions are drawn.
  bool convolutions = true;
  // The operators of which cases are drawn as well.
  std::vector<const OperatorSchema*> operators;
  // The domain from which convolutions are drawn.
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
  // Folder in which each worker writes its current case to a file (worker_journal.h); empty: no files are written.
  std::filesystem::path journal_folder;
  // The command that repeats the run.
  std::string command;
  // The subject under test; nullptr: LibTorch itself.
  Subject* subject = nullptr;
  // The rules for the subject.
  Rules rules;
};

// Returns the time limit of a case, seconds. A subject or reference in a process of its own has a limit for each
// answer; the case's limit is then raised to leave time for all of its answers.
[[nodiscard]] inline double case_limit(const CampaignOptions& options, const Reference& reference) {
  // The largest number of answers to one case, of the subject and of another reference than LibTorch.
  constexpr double kAnswers = 20;
  constexpr double kReferenceAnswers = 8;
  const auto has_its_own = [](const Subject* s) { return s != nullptr && s->isolation() != Isolation::none; };
  const double answers =
      (has_its_own(options.subject) ? kAnswers : 0) + (has_its_own(reference.other()) ? kReferenceAnswers : 0);
  return std::max(options.seconds_per_case, answers * options.rules.seconds);
}

// The number of the corpus' block, which comes before all others.
inline constexpr std::int64_t kCorpusBlock = -1;

// Holds work that is in progress and not counted yet.
struct Underway {
  // Number of processes that run now.
  std::int64_t processes = 0;
  // Number of verified cases in blocks that are not complete.
  std::int64_t answered = 0;
};

}  // namespace tieout
