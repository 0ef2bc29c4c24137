#include "props/campaign/replay.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "props/findings/finding_details.h"
#include "props/findings/recheck.h"
#include "props/operators/any_case_outcome.h"
#include "props/process/forked_task.h"
#include "reports/records/finding_json.h"

namespace tieout {
namespace {

using Clock = std::chrono::steady_clock;

struct Replayed {
  bool done = false;
  CaseOutcome outcome;
  // Filled if the case differed or crashed.
  Finding finding;
};

class Replay {
 public:
  Replay(const std::vector<AnyCase>& cases, const Reference& reference, const CampaignOptions& options)
      : cases_(cases), reference_(reference), options_(options), replayed_(cases.size()) {}

  // Returns true if all cases were verified or the time is over, false if go_on stopped it.
  bool run(RunSummary& run, const std::function<bool(const RunSummary&, const Underway&)>& go_on) {
    const double before = run.seconds;
    const auto start = Clock::now();
    std::size_t begun = 0;
    while (true) {
      run.seconds = before + std::chrono::duration<double>(Clock::now() - start).count();
      const bool in_time = options_.seconds <= 0 || run.seconds < options_.seconds;
      while (in_time && begun < cases_.size() && processes_.running() < static_cast<std::size_t>(options_.workers)) {
        start_case(begun++);
      }
      if (processes_.running() == 0) return true;
      processes_.wait(std::chrono::milliseconds(100));
      if (!go_on(run, {.processes = static_cast<std::int64_t>(processes_.running()), .answered = answered()}))
        return false;
    }
  }

  [[nodiscard]] RecordBlock block() {
    RecordBlock block{.number = kCorpusBlock};
    for (std::size_t i = 0; i < replayed_.size() && replayed_[i].done; ++i) {
      const CaseOutcome& outcome = replayed_[i].outcome;
      count(block, outcome, "corpus");
      if (is_finding(outcome)) block.counts.findings.push_back(std::move(replayed_[i].finding));
    }
    return block;
  }

 private:
  [[nodiscard]] std::int64_t answered() const {
    return std::ranges::count_if(replayed_, [](const Replayed& one) { return one.done; });
  }

  void start_case(std::size_t i) {
    // run_case() applies the case's limit itself; that of the process is longer.
    processes_.start({.seconds = options_.seconds_per_case + 60,
                      .memory = options_.memory_per_case,
                      .work = [this, i](std::int64_t) { return pack(run_case(cases_[i], setup_, Placement::alone)); },
                      .answered =
                          [this, i](std::int64_t, const std::string& answer) {
                            replayed_[i].outcome = outcome_of_answer(cases_[i], setup_, answer);
                          },
                      .died =
                          [this, i](std::int64_t, const ExitReason& reason) {
                            replayed_[i].outcome = outcome_of_exit(cases_[i], setup_, reason);
                          },
                      .ended =
                          [this, i] {
                            if (!recheck_.is_due(replayed_[i].outcome)) return conclude(i);
                            recheck_.start(cases_[i], replayed_[i].outcome, [this, i](CaseOutcome outcome) {
                              replayed_[i].outcome = std::move(outcome);
                              conclude(i);
                            });
                          }});
  }

  void conclude(std::size_t i) {
    replayed_[i].done = !is_finding(replayed_[i].outcome);
    if (!replayed_[i].done) describe(i);
  }

  // Verifies the case again to complete its finding.
  void describe(std::size_t i) {
    const CaseOutcome& outcome = replayed_[i].outcome;
    replayed_[i].finding = undescribed(cases_[i], outcome, -1 - static_cast<std::int64_t>(i), setup_);
    processes_.start(
        {.seconds = 2 * options_.seconds_per_case + 60,
         .memory = options_.memory_per_case,
         .work = [this, i](std::int64_t) { return to_json(described(replayed_[i].finding, setup_)); },
         .answered = [this, i](std::int64_t,
                               const std::string& answer) { take_description(replayed_[i].finding, answer); },
         .died = [this, i](std::int64_t,
                           const ExitReason& reason) { note_exit(replayed_[i].finding, "describing", reason); },
         .ended = [this, i] { replayed_[i].done = true; }});
  }

  const std::vector<AnyCase>& cases_;
  Reference reference_;
  const CampaignOptions& options_;
  CaseSetup setup_{reference_, options_.subject, options_.rules, options_.seconds_per_case};
  std::vector<Replayed> replayed_;
  // Declared after the members that its tasks refer to, so that it is destroyed before them.
  Processes processes_;
  Recheck recheck_{processes_, setup_, options_.memory_per_case};
};

}  // namespace

std::optional<RecordBlock> replay(const std::vector<AnyCase>& cases, const Reference& reference,
                                  const CampaignOptions& options, RunSummary& run,
                                  const std::function<bool(const RunSummary&, const Underway&)>& go_on) {
  Replay replay(cases, reference, options);
  if (!replay.run(run, go_on)) return {};
  return replay.block();
}

}  // namespace tieout
