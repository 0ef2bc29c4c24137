#include "props/replay.h"

#include <chrono>
#include <utility>

#include "props/describe.h"
#include "props/isolated.h"
#include "props/outcome.h"
#include "reports/finding_json.h"

namespace tieout {
namespace {

using Clock = std::chrono::steady_clock;

struct Replayed {
  bool done = false;
  CaseOutcome outcome;
  Finding finding;  // where it differed or crashed
};

class Replay {
 public:
  Replay(const std::vector<ConvCase>& cases, LibTorch& reference, const CampaignOptions& options)
      : cases_(cases), reference_(reference), options_(options), replayed_(cases.size()) {}

  // Whether it came to its end.
  bool run(RunSummary& run, const std::function<bool(const RunSummary&, std::int64_t)>& go_on) {
    const double before = run.seconds;
    const auto start = Clock::now();
    std::size_t begun = 0;
    while (true) {
      run.seconds = before + std::chrono::duration<double>(Clock::now() - start).count();
      const bool in_time = options_.seconds <= 0 || run.seconds < options_.seconds;
      while (in_time && begun < cases_.size() && processes_.running() < static_cast<std::size_t>(options_.workers)) {
        examine_it(begun++);
      }
      if (processes_.running() == 0) return true;
      processes_.wait(std::chrono::milliseconds(100));
      if (!go_on(run, static_cast<std::int64_t>(processes_.running()))) return false;
    }
  }

  [[nodiscard]] RecordBlock block() {
    RecordBlock block{.number = kCorpusBlock, .verdicts = {}, .digest = 0xcbf29ce484222325U, .counts = {}};
    for (std::size_t i = 0; i < replayed_.size() && replayed_[i].done; ++i) {
      const CaseOutcome& outcome = replayed_[i].outcome;
      block.verdicts += letter(outcome.status);
      block.digest = mix(block.digest, outcome);
      count(block.counts, outcome, "corpus");
      if (is_finding(outcome)) block.counts.findings.push_back(std::move(replayed_[i].finding));
    }
    return block;
  }

 private:
  void examine_it(std::size_t i) {
    processes_.start(
        {.seconds = options_.seconds_per_case + 60,  // the limit is kept inside
         .memory = options_.memory_per_case,
         .work = [this, i](std::int64_t) { return pack(examine(cases_[i], how_, Where::alone)); },
         .answered =
             [this, i](std::int64_t, const std::string& answer) {
               auto outcome = unpack(answer);
               replayed_[i].outcome = outcome ? std::move(*outcome) : death_of(cases_[i], how_, kOverwritten);
             },
         .died = [this, i](std::int64_t,
                           const Death& death) { replayed_[i].outcome = death_of(cases_[i], how_, death.text()); },
         .ended =
             [this, i] {
               replayed_[i].done = !is_finding(replayed_[i].outcome);
               if (!replayed_[i].done) describe(i);
             }});
  }

  // Once more, for all that a finding says.
  void describe(std::size_t i) {
    const CaseOutcome& outcome = replayed_[i].outcome;
    replayed_[i].finding = undescribed(cases_[i], outcome, -1 - static_cast<std::int64_t>(i), options_.subject);
    processes_.start(
        {.seconds = 2 * options_.seconds_per_case + 60,
         .memory = options_.memory_per_case,
         .work = [this, i](std::int64_t) { return to_json(described(replayed_[i].finding, how_)); },
         .answered = [this, i](std::int64_t,
                               const std::string& answer) { take_description(replayed_[i].finding, answer); },
         .died = [this, i](std::int64_t, const Death& death) { note_death(replayed_[i].finding, "describing", death); },
         .ended = [this, i] { replayed_[i].done = true; }});
  }

  const std::vector<ConvCase>& cases_;
  LibTorch& reference_;
  const CampaignOptions& options_;
  Examination how_{reference_, options_.subject, options_.rules, options_.seconds_per_case};
  std::vector<Replayed> replayed_;
  Processes processes_;  // last, so that it is gone before what its tasks refer to
};

}  // namespace

std::optional<RecordBlock> replay(const std::vector<ConvCase>& cases, LibTorch& reference,
                                  const CampaignOptions& options, RunSummary& run,
                                  const std::function<bool(const RunSummary&, std::int64_t)>& go_on) {
  Replay replay(cases, reference, options);
  if (!replay.run(run, go_on)) return {};
  return replay.block();
}

}  // namespace tieout
