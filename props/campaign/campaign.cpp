#include "props/campaign/campaign.h"

#include <algorithm>
#include <chrono>
#include <deque>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "cases/text/case_text.h"
#include "props/campaign/case_at.h"
#include "props/campaign/replay.h"
#include "props/campaign/worker_journal.h"
#include "props/explain/explain.h"
#include "props/findings/case_sequence.h"
#include "props/findings/finding_details.h"
#include "props/findings/kinds.h"
#include "props/findings/second_look.h"
#include "props/generate/case_class.h"
#include "props/process/forked_task.h"
#include "props/process/shared_number.h"
#include "props/verify/outcome.h"
#include "props/verify/verify.h"
#include "reports/records/finding_json.h"

namespace tieout {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// Number of blocks of each worker that may wait for an earlier block.
constexpr std::size_t kBlocksAhead = 8;
// Time limit of a reduction, seconds. Its limits of work end it long before on a machine that makes progress.
constexpr double kSecondsToReduce = 120;
// Time after which a process that computes a finding counts as hanging, seconds.
constexpr double kSecondsForAFinding = 300;
// Time until an interrupted run ends.
constexpr milliseconds kForLastWords{1500};
// Number of thorough reductions; further findings that are kept are reduced quickly.
constexpr std::size_t kMostThorough = 16;

// Holds a block that is not counted yet. Its cases are run, doubtful ones are verified again, and its findings are
// shrunk.
struct Pending {
  enum class Stage { running, doubtful, ran, reducing, ready } stage = Stage::running;
  std::int64_t number = 0;
  std::int64_t begin = 0;
  std::vector<CaseOutcome> outcomes;
  std::int64_t answered = 0;
  // The cases on which a worker died, ascending. Another worker continued after each.
  std::vector<std::int64_t> deaths;
  // Number of cases that are still to be verified again.
  std::size_t doubts = 0;
  // The findings, which are replaced by the reduced ones. A deque keeps references to its elements valid.
  std::deque<Finding> findings;
  // The effort to spend on each of them.
  std::vector<Effort> efforts;
  std::size_t unreduced = 0;
};

class Campaign {
 public:
  Campaign(const CampaignOptions& options, const Reference& reference, CampaignStart start, const CampaignCalls& calls)
      : options_(options),
        reference_(reference),
        calls_(calls),
        run_(std::move(start.so_far)),
        seconds_before_(run_.seconds),
        next_(start.blocks_done),
        kinds_(run_) {
    for (const Finding& finding : run_.findings) {
      // Findings of a corpus do not count, so that new ones of their kinds are still kept.
      if (finding.index >= 0) ++kept_[counted_kind(finding)];
    }
  }

  RunSummary run() {
    try {
      work();
    } catch (const NoProcess& error) {
      calls_.stopped(error.what());
      stop();
    }
    // A run that used up its time is finished as well.
    run_.finished = !subject_changed_ && pending_.empty() && (next_block_begin() >= options_.cases || out_of_time());
    note_time();
    find_missing_classes(run_);
    return std::move(run_);
  }

 private:
  void work() {
    while (go_on_) {
      // This precedes settle(), which writes to the disk, so that workers are busy meanwhile.
      start_work();
      settle();
      if (!go_on_) break;
      // Blocks that settle() counted allow further ones to start.
      start_work();
      if (pending_.empty()) break;
      processes_.wait(milliseconds(100));
      note_time();
      if (!calls_.progress(run_, underway())) {
        stop();
      } else if (hangs_always()) {
        calls_.stopped(std::string(reference_.other() == nullptr ? "the subject" : "the subject or the reference") +
                       " hangs on most cases (" + std::to_string(hangs_) + " of " + std::to_string(answered_) +
                       "); if it is only slow, raise --patience");
        stop();
      }
    }
  }

  // True if the run should stop because nearly everything hangs. Such a run would take hours without further results.
  [[nodiscard]] bool hangs_always() const {
    constexpr std::int64_t kEnough = 20;
    return hangs_ >= kEnough && 2 * hangs_ > answered_;
  }

  void stop() {
    if (is_subject_changed()) return;
    go_on_ = false;
    processes_.stop();
    count_what_was_seen();
  }

  [[nodiscard]] Underway underway() const {
    Underway now{.processes = static_cast<std::int64_t>(processes_.running())};
    for (const Pending& block : pending_) now.answered += block.answered;
    return now;
  }

  [[nodiscard]] ConvCase draw(std::int64_t index, std::int64_t attempt) const {
    return tieout::draw(options_, index, attempt);
  }

  [[nodiscard]] std::int64_t next_block() const { return options_.shard.index + next_ * options_.shard.count; }
  [[nodiscard]] std::int64_t next_block_begin() const { return next_block() * kBlock; }

  void note_time() { run_.seconds = seconds_before_ + std::chrono::duration<double>(Clock::now() - start_).count(); }
  [[nodiscard]] bool out_of_time() const { return options_.seconds > 0 && run_.seconds >= options_.seconds; }

  void start_blocks() {
    const auto workers = static_cast<std::size_t>(options_.workers);
    while (processes_.running() < workers && pending_.size() < kBlocksAhead * workers && !out_of_time() &&
           next_block_begin() < options_.cases) {
      pending_.push_back({.number = next_block(), .begin = next_block_begin()});
      ++next_;
      Pending& block = pending_.back();
      const std::int64_t end = std::min(block.begin + kBlock, options_.cases);
      block.outcomes.resize(static_cast<std::size_t>(end - block.begin));
      run_block(block, end);
    }
  }

  void run_block(Pending& block, std::int64_t end) {
    // The file belongs to the worker, which opens it at its first case.
    const auto line = std::make_shared<std::optional<InFlight>>();
    // The number of the current attempt.
    const auto at = std::make_shared<SharedNumber>();
    processes_.start({.begin = block.begin,
                      .end = end,
                      .seconds = case_limit(options_, reference_),
                      .memory = options_.memory_per_case,
                      .work =
                          [this, line, at, file = in_flight(block.number)](std::int64_t index) {
                            const auto case_for = [&](std::int64_t attempt) {
                              at->set(attempt);
                              ConvCase c = draw(index, attempt);
                              if (!file.empty()) {
                                if (!*line) line->emplace(file);
                                (*line)->write(print(c));
                              }
                              return c;
                            };
                            return pack(examine_first_taken(case_for, options_.attempts, how_));
                          },
                      .answered =
                          [this, &block, at](std::int64_t index, const std::string& answer) {
                            auto outcome = unpack(answer);
                            if (!outcome) return take_death(block, index, at->get(), {.last_words = kOverwritten});
                            take(block, index, std::move(*outcome));
                          },
                      .died = [this, &block, at](std::int64_t index,
                                                 const Death& death) { take_death(block, index, at->get(), death); },
                      .ended = [this, &block] { note_doubts(block); }});
  }

  // Returns the file in which a worker writes down its current case; empty: it writes nothing.
  [[nodiscard]] std::filesystem::path in_flight(std::int64_t number) const {
    return options_.in_flight.empty() ? std::filesystem::path()
                                      : options_.in_flight / ("block-" + std::to_string(number));
  }

  void take(Pending& block, std::int64_t index, CaseOutcome outcome) {
    ++answered_;
    const bool hung = outcome.reason == "died: hang" || outcome.reason == kReferenceHangs;
    if (options_.subject != nullptr && hung) ++hangs_;
    outcome_of(block, index) = std::move(outcome);
    ++block.answered;
  }

  static CaseOutcome& outcome_of(Pending& block, std::int64_t index) {
    return block.outcomes[static_cast<std::size_t>(index - block.begin)];
  }

  void take_death(Pending& block, std::int64_t index, std::int64_t attempt, const Death& death) {
    CaseOutcome outcome = death_of(draw(index, attempt), how_, death);
    outcome.attempt = attempt;
    take(block, index, std::move(outcome));
    block.deaths.push_back(index);
    deaths_[index] = death.text();
  }

  // Queues the cases whose outcome the machine may have caused, to verify them again before they count.
  void note_doubts(Pending& block) {
    block.stage = Pending::Stage::ran;
    for (std::size_t i = 0; i < block.outcomes.size(); ++i) {
      if (!second_look_.is_due(block.outcomes[i])) continue;
      doubtful_.emplace_back(&block, block.begin + static_cast<std::int64_t>(i));
      ++block.doubts;
      block.stage = Pending::Stage::doubtful;
    }
  }

  // Verifies one doubtful case at a time, while no other process runs.
  void start_second_look() {
    if (processes_.running() > 0 || doubtful_.empty()) return;
    looking_ = true;
    const auto [doubtful_block, index] = doubtful_.front();
    doubtful_.pop_front();
    const CaseOutcome& doubted = outcome_of(*doubtful_block, index);
    second_look_.start(draw(index, doubted.attempt), doubted,
                       [this, block = doubtful_block, at = index](CaseOutcome outcome) {
                         looking_ = false;
                         if (outcome.status != Status::crashed) deaths_.erase(at);
                         CaseOutcome& place = outcome_of(*block, at);
                         outcome.attempt = place.attempt;
                         outcome.declined = std::move(place.declined);
                         place = std::move(outcome);
                         if (--block->doubts == 0) block->stage = Pending::Stage::ran;
                       });
  }

  // Advances the first block as far as possible and counts it once it is ready; then continues with the next one.
  void settle() {
    while (!pending_.empty()) {
      Pending& first = pending_.front();
      if (first.stage == Pending::Stage::ran) reduce_findings_of(first);
      if (first.stage != Pending::Stage::ready) return;
      commit(first);
      pending_.pop_front();
      if (!go_on_) return;
    }
  }

  // Chooses the findings to keep, in the order of the sequence: the first of each kind. The very first of a kind is
  // reduced as far as possible, up to a number of kinds, so that a kernel that is wrong in many places does not take
  // forever.
  void choose_findings_of(Pending& block) {
    for (std::size_t i = 0; i < block.outcomes.size(); ++i) {
      CaseOutcome& outcome = block.outcomes[i];
      kinds_.limit(outcome);
      if (!is_finding(outcome)) continue;
      std::size_t& kept = kept_[outcome.reason];
      if (kept == options_.kept_per_kind) continue;
      const bool thorough = kept++ == 0 && kept_.size() <= kMostThorough;
      block.findings.push_back(unreduced(block.begin + static_cast<std::int64_t>(i), outcome));
      block.efforts.push_back(thorough ? Effort::thorough : Effort::quick);
    }
  }

  void reduce_findings_of(Pending& block) {
    choose_findings_of(block);
    block.unreduced = block.findings.size();
    block.stage = block.findings.empty() ? Pending::Stage::ready : Pending::Stage::reducing;
    for (std::size_t i = 0; i < block.findings.size(); ++i) {
      unreduced_.push_back({&block, &block.findings[i], block.efforts[i]});
    }
  }

  // Starts reductions before further blocks, because counting waits for them; starts neither while a case is verified
  // again.
  void start_work() {
    if (looking_ || !doubtful_.empty()) return start_second_look();
    start_reductions();
    start_blocks();
  }

  void start_reductions() {
    while (!unreduced_.empty() && processes_.running() < static_cast<std::size_t>(options_.workers)) {
      const Reduction next = unreduced_.front();
      unreduced_.pop_front();
      reduce_it(next);
    }
  }

  struct Reduction {
    Pending* block;
    Finding* finding;
    Effort effort;
  };

  void reduce_it(const Reduction& reduction) {
    Finding& finding = *reduction.finding;
    Pending& block = *reduction.block;
    processes_.start(
        {.seconds = kSecondsForAFinding,
         .memory = options_.memory_per_case,
         .work = [this, &block, &finding,
                  effort = reduction.effort](std::int64_t) { return to_json(reduced(block, finding, effort)); },
         .answered = [&finding](std::int64_t, const std::string& answer) { take_description(finding, answer); },
         .died = [&finding](std::int64_t, const Death& death) { note_death(finding, "reducing", death); },
         .ended =
             [this, &block, &finding] {
               if (!finding.undescribed.empty()) return describe_it(block, finding);
               end_reduction(block);
             }});
  }

  // Describes the case as it was drawn, after the process that reduced it has died.
  void describe_it(Pending& block, Finding& finding) {
    processes_.start(
        {.seconds = kSecondsForAFinding,
         .memory = options_.memory_per_case,
         .work =
             [this, drawn = finding](std::int64_t) mutable {
               drawn.undescribed.clear();
               return to_json(described(drawn, how_));
             },
         .answered = [&finding](std::int64_t, const std::string& answer) { take_description(finding, answer); },
         // The note in the finding tells how the reduction ended.
         .died = [](std::int64_t, const Death&) {},
         .ended = [&block] { end_reduction(block); }});
  }

  static void end_reduction(Pending& block) {
    if (--block.unreduced == 0) block.stage = Pending::Stage::ready;
  }

  [[nodiscard]] Finding reduced(const Pending& block, const Finding& finding, Effort effort) const {
    Finding small = reduce(finding, reference_, kSecondsToReduce, options_.subject, options_.rules, effort);
    if (small.failure.ends_with(kOnlyAmongOthers)) {
      std::vector<ConvCase> before;
      for (std::int64_t index = first_of_process(block, finding.index); index < finding.index; ++index) {
        before.push_back(draw(index, block.outcomes[static_cast<std::size_t>(index - block.begin)].attempt));
      }
      if (auto shown = find_cases_before(finding, before, how_)) return std::move(*shown);
    }
    small.explanation = explanation_of(small);
    small.cell = finding.cell;
    small.index = finding.index;
    small.drawn_kind = finding.drawn_kind;
    return small;
  }

  // Returns the first case that was verified by the same process as the case `index`.
  static std::int64_t first_of_process(const Pending& block, std::int64_t index) {
    const auto next_death = std::ranges::lower_bound(block.deaths, index);
    return next_death == block.deaths.begin() ? block.begin : *std::prev(next_death) + 1;
  }

  [[nodiscard]] Finding unreduced(std::int64_t index, const CaseOutcome& outcome) {
    Finding finding = undescribed(draw(index, outcome.attempt), outcome, index, how_);
    const auto death = deaths_.find(index);
    finding.failure = death == deaths_.end() ? std::string() : "died: " + death->second;
    return finding;
  }

  // Drops doubtful outcomes, because there is no time to verify them again.
  void drop_doubts(Pending& block) const {
    for (CaseOutcome& outcome : block.outcomes) {
      if (second_look_.is_due(outcome)) outcome = {};
    }
  }

  // Counts the differences found so far when the run is interrupted, although their blocks are incomplete and their
  // cases are not shrunk.
  void count_what_was_seen() {
    const std::size_t counted = run_.findings.size();
    for (Pending& block : pending_) {
      if (block.stage < Pending::Stage::ran) drop_doubts(block);
      if (block.stage < Pending::Stage::reducing) choose_findings_of(block);
      for (std::size_t i = 0; i < block.outcomes.size(); ++i) {
        if (is_finding(block.outcomes[i])) {
          count(run_, block.outcomes[i], drawn_for(options_, block.begin + static_cast<std::int64_t>(i)));
        }
      }
      run_.findings.insert(run_.findings.end(), block.findings.begin(), block.findings.end());
    }
    try {
      describe_within(kForLastWords, std::span(run_.findings).subspan(counted), how_, options_.workers);
    } catch (const NoProcess& none) {
      // The findings stay as they were drawn.
      calls_.stopped(none.what());
    }
  }

  // Returns true, after stopping the run, if files of the subject or of the reference have changed since they were
  // opened. Blocks that are not counted yet may then hold answers of either version, or of a file that was half
  // written, so nothing of them is counted or reported.
  [[nodiscard]] bool is_subject_changed() {
    const std::string change = change_of(options_.subject, reference_);
    if (change.empty()) return false;
    subject_changed_ = true;
    go_on_ = false;
    processes_.stop();
    calls_.stopped(change);
    return true;
  }

  void commit(Pending& block) {
    if (is_subject_changed()) return;
    RecordBlock record{.number = block.number};
    for (std::size_t i = 0; i < block.outcomes.size(); ++i) {
      const std::int64_t index = block.begin + static_cast<std::int64_t>(i);
      const CaseOutcome& outcome = block.outcomes[i];
      count(record, outcome, drawn_for(options_, index));
      deaths_.erase(index);
    }
    record.counts.findings.assign(block.findings.begin(), block.findings.end());
    merge(run_, record.counts);
    run_.findings.insert(run_.findings.end(), block.findings.begin(), block.findings.end());
    note_time();
    run_.finished = next_block_begin() >= options_.cases && pending_.size() == 1;
    go_on_ = calls_.block(record, run_);
    std::error_code ignored;
    if (!options_.in_flight.empty()) std::filesystem::remove(in_flight(block.number), ignored);
  }

  const CampaignOptions& options_;
  Reference reference_;
  Examination how_{reference_, options_.subject, options_.rules, options_.seconds_per_case};
  const CampaignCalls& calls_;
  RunSummary run_;
  double seconds_before_;
  // Number of the shard's first block that is not started.
  std::int64_t next_;
  Clock::time_point start_ = Clock::now();
  bool go_on_ = true;
  bool subject_changed_ = false;
  // Number of cases since the run was started or resumed, and how many of them hung.
  std::int64_t answered_ = 0, hangs_ = 0;
  // True while a case is verified again.
  bool looking_ = false;
  // The blocks in the order of the sequence. A deque keeps references to its elements valid.
  std::deque<Pending> pending_;
  Kinds kinds_;
  // Number of findings by the kind under which they are counted.
  std::map<std::string, std::size_t> kept_;
  std::deque<Reduction> unreduced_;
  std::deque<std::pair<Pending*, std::int64_t>> doubtful_;
  std::map<std::int64_t, std::string> deaths_;
  // Declared after the members that its tasks refer to, so that it is destroyed before them.
  Processes processes_;
  SecondLook second_look_{processes_, how_, options_.memory_per_case};
};

}  // namespace

RunSummary run_campaign(const CampaignOptions& options, const Reference& reference, CampaignStart start,
                        const CampaignCalls& calls) {
  RunSummary& run = start.so_far;
  if (start.corpus) {
    const auto block = replay(*start.corpus, reference, options, run, calls.progress);
    if (!block) return std::move(run);
    if (const std::string change = change_of(options.subject, reference); !change.empty()) {
      calls.stopped(change);
      return std::move(run);
    }
    merge(run, block->counts);
    run.findings.insert(run.findings.end(), block->counts.findings.begin(), block->counts.findings.end());
    if (!calls.block(*block, run)) return std::move(run);
  }
  return Campaign(options, reference, std::move(start), calls).run();
}

}  // namespace tieout
