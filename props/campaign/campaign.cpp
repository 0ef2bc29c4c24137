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

#include "props/campaign/case_at.h"
#include "props/campaign/replay.h"
#include "props/campaign/worker_journal.h"
#include "props/explain/explain.h"
#include "props/findings/case_sequence.h"
#include "props/findings/finding_details.h"
#include "props/findings/kinds.h"
#include "props/findings/recheck.h"
#include "props/generate/case_class.h"
#include "props/operators/any_case_outcome.h"
#include "props/process/forked_task.h"
#include "props/process/shared_number.h"
#include "props/verify/verify.h"
#include "reports/records/finding_json.h"

namespace tieout {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// Number of blocks of each worker that may wait for an earlier block.
constexpr std::size_t kBlocksAhead = 8;
// Time limit for shrinking a finding, seconds. The limits of work end it long before on a machine that makes progress.
constexpr double kSecondsToShrink = 120;
// Time after which a process that computes a finding counts as hanging, seconds.
constexpr double kSecondsForAFinding = 300;
// Time until an interrupted run ends.
constexpr milliseconds kTimeToDescribe{1500};
// Number of findings that are shrunk thoroughly; further ones that are kept are shrunk quickly.
constexpr std::size_t kMostThorough = 16;

// Holds a block that is not counted yet. Its cases are run, some are verified again, and its findings are
// shrunk.
struct PendingBlock {
  enum class Stage { running, rechecking, ran, shrinking, ready } stage = Stage::running;
  std::int64_t number = 0;
  std::int64_t begin = 0;
  std::vector<CaseOutcome> outcomes;
  std::int64_t answered = 0;
  // The cases on which a worker died, ascending. Another worker continued after each.
  std::vector<std::int64_t> exits;
  // Number of cases that are still to be verified again.
  std::size_t rechecks_left = 0;
  // The findings, which are replaced by the shrunk ones. A deque keeps references to its elements valid.
  std::deque<Finding> findings;
  // The effort to spend on each of them.
  std::vector<Effort> efforts;
  std::size_t shrink_jobs_left = 0;
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
    run_.finished =
        !subject_changed_ && pending_blocks_.empty() && (next_block_begin() >= options_.cases || out_of_time());
    note_time();
    find_missing_classes(run_);
    return std::move(run_);
  }

 private:
  void work() {
    while (go_on_) {
      // This precedes commit_ready_blocks(), which writes to the disk, so that workers are busy meanwhile.
      start_work();
      commit_ready_blocks();
      if (!go_on_) break;
      // Blocks that commit_ready_blocks() counted allow further ones to start.
      start_work();
      if (pending_blocks_.empty()) break;
      processes_.wait(milliseconds(100));
      note_time();
      if (!calls_.progress(run_, underway())) {
        stop();
      } else if (hangs_mostly()) {
        calls_.stopped(std::string(reference_.other() == nullptr ? "the subject" : "the subject or the reference") +
                       " hangs on most cases (" + std::to_string(hangs_) + " of " + std::to_string(answered_) +
                       "); if it is only slow, raise --patience");
        stop();
      }
    }
  }

  // True if the run should stop because nearly everything hangs. Such a run would take hours without further results.
  [[nodiscard]] bool hangs_mostly() const {
    constexpr std::int64_t kEnough = 20;
    return hangs_ >= kEnough && 2 * hangs_ > answered_;
  }

  void stop() {
    if (is_subject_changed()) return;
    go_on_ = false;
    processes_.stop();
    count_unfinished_blocks();
  }

  [[nodiscard]] Underway underway() const {
    Underway now{.processes = static_cast<std::int64_t>(processes_.running())};
    for (const PendingBlock& block : pending_blocks_) now.answered += block.answered;
    return now;
  }

  [[nodiscard]] AnyCase draw(std::int64_t index, std::int64_t attempt) const {
    return draw_any(options_, index, attempt);
  }

  [[nodiscard]] std::int64_t next_block() const { return options_.shard.index + next_ * options_.shard.count; }
  [[nodiscard]] std::int64_t next_block_begin() const { return next_block() * kBlock; }

  void note_time() { run_.seconds = seconds_before_ + std::chrono::duration<double>(Clock::now() - start_).count(); }
  [[nodiscard]] bool out_of_time() const { return options_.seconds > 0 && run_.seconds >= options_.seconds; }

  void start_blocks() {
    const auto workers = static_cast<std::size_t>(options_.workers);
    while (processes_.running() < workers && pending_blocks_.size() < kBlocksAhead * workers && !out_of_time() &&
           next_block_begin() < options_.cases) {
      pending_blocks_.push_back({.number = next_block(), .begin = next_block_begin()});
      ++next_;
      PendingBlock& block = pending_blocks_.back();
      const std::int64_t end = std::min(block.begin + kBlock, options_.cases);
      block.outcomes.resize(static_cast<std::size_t>(end - block.begin));
      run_block(block, end);
    }
  }

  void run_block(PendingBlock& block, std::int64_t end) {
    // The file belongs to the worker, which opens it at its first case.
    const auto journal = std::make_shared<std::optional<WorkerJournal>>();
    // The number of the current attempt.
    const auto at = std::make_shared<SharedNumber>();
    processes_.start(
        {.begin = block.begin,
         .end = end,
         .seconds = case_limit(options_, reference_),
         .memory = options_.memory_per_case,
         .work =
             [this, journal, at, file = journal_file(block.number)](std::int64_t index) {
               const auto case_for = [&](std::int64_t attempt) -> AnyCase {
                 at->set(attempt);
                 AnyCase c = draw(index, attempt);
                 if (!file.empty()) {
                   if (!*journal) journal->emplace(file);
                   (*journal)->write(print(c));
                 }
                 return c;
               };
               return pack(run_first_taken_case(case_for, options_.attempts, setup_));
             },
         .answered =
             [this, &block, at](std::int64_t index, const std::string& answer) {
               auto outcome = unpack(answer);
               if (!outcome) return record_exit(block, index, at->get(), {.stderr_tail = kOverwritten});
               take(block, index, std::move(*outcome));
             },
         .died = [this, &block, at](std::int64_t index,
                                    const ExitReason& reason) { record_exit(block, index, at->get(), reason); },
         .ended = [this, &block] { queue_rechecks(block); }});
  }

  // Returns the file in which a worker writes down its current case; empty: it writes nothing.
  [[nodiscard]] std::filesystem::path journal_file(std::int64_t number) const {
    return options_.journal_folder.empty() ? std::filesystem::path()
                                           : options_.journal_folder / ("block-" + std::to_string(number));
  }

  void take(PendingBlock& block, std::int64_t index, CaseOutcome outcome) {
    ++answered_;
    const bool hung = outcome.reason == "died: hang" || outcome.reason == kReferenceHangs;
    if (options_.subject != nullptr && hung) ++hangs_;
    outcome_of(block, index) = std::move(outcome);
    ++block.answered;
  }

  static CaseOutcome& outcome_of(PendingBlock& block, std::int64_t index) {
    return block.outcomes[static_cast<std::size_t>(index - block.begin)];
  }

  void record_exit(PendingBlock& block, std::int64_t index, std::int64_t attempt, const ExitReason& reason) {
    CaseOutcome outcome = outcome_of_exit(draw(index, attempt), setup_, reason);
    outcome.attempt = attempt;
    take(block, index, std::move(outcome));
    block.exits.push_back(index);
    exit_texts_[index] = reason.text();
  }

  // Queues the cases whose outcome the machine may have caused, to verify them again before they count.
  void queue_rechecks(PendingBlock& block) {
    block.stage = PendingBlock::Stage::ran;
    for (std::size_t i = 0; i < block.outcomes.size(); ++i) {
      if (!recheck_.is_due(block.outcomes[i])) continue;
      recheck_queue_.emplace_back(&block, block.begin + static_cast<std::int64_t>(i));
      ++block.rechecks_left;
      block.stage = PendingBlock::Stage::rechecking;
    }
  }

  // Verifies one queued case again at a time, while no other process runs.
  void start_recheck() {
    if (processes_.running() > 0 || recheck_queue_.empty()) return;
    is_rechecking_ = true;
    const auto [queued_block, index] = recheck_queue_.front();
    recheck_queue_.pop_front();
    const CaseOutcome& first_outcome = outcome_of(*queued_block, index);
    recheck_.start(draw(index, first_outcome.attempt), first_outcome,
                   [this, block = queued_block, at = index](CaseOutcome outcome) {
                     is_rechecking_ = false;
                     if (outcome.status != Status::crashed) exit_texts_.erase(at);
                     CaseOutcome& place = outcome_of(*block, at);
                     outcome.attempt = place.attempt;
                     outcome.declined = std::move(place.declined);
                     place = std::move(outcome);
                     if (--block->rechecks_left == 0) block->stage = PendingBlock::Stage::ran;
                   });
  }

  // Advances the first block as far as possible and counts it once it is ready; then continues with the next one.
  void commit_ready_blocks() {
    while (!pending_blocks_.empty()) {
      PendingBlock& first = pending_blocks_.front();
      if (first.stage == PendingBlock::Stage::ran) queue_shrink_jobs(first);
      if (first.stage != PendingBlock::Stage::ready) return;
      commit(first);
      pending_blocks_.pop_front();
      if (!go_on_) return;
    }
  }

  // Chooses the findings to keep, in the order of the sequence: the first of each kind. The very first of a kind is
  // shrunk as far as possible, up to a number of kinds, so that a kernel that is wrong in many places does not take
  // forever.
  void choose_findings(PendingBlock& block) {
    for (std::size_t i = 0; i < block.outcomes.size(); ++i) {
      CaseOutcome& outcome = block.outcomes[i];
      kinds_.limit(outcome);
      if (!is_finding(outcome)) continue;
      std::size_t& kept = kept_[outcome.reason];
      if (kept == options_.kept_per_kind) continue;
      const bool thorough = kept++ == 0 && kept_.size() <= kMostThorough;
      block.findings.push_back(new_finding(block.begin + static_cast<std::int64_t>(i), outcome));
      block.efforts.push_back(thorough ? Effort::thorough : Effort::quick);
    }
  }

  void queue_shrink_jobs(PendingBlock& block) {
    choose_findings(block);
    block.shrink_jobs_left = block.findings.size();
    block.stage = block.findings.empty() ? PendingBlock::Stage::ready : PendingBlock::Stage::shrinking;
    for (std::size_t i = 0; i < block.findings.size(); ++i) {
      shrink_queue_.push_back({&block, &block.findings[i], block.efforts[i]});
    }
  }

  // Starts shrink jobs before further blocks, because counting waits for them; starts neither while a case is verified
  // again.
  void start_work() {
    if (is_rechecking_ || !recheck_queue_.empty()) return start_recheck();
    start_shrink_jobs();
    start_blocks();
  }

  void start_shrink_jobs() {
    while (!shrink_queue_.empty() && processes_.running() < static_cast<std::size_t>(options_.workers)) {
      const ShrinkJob next = shrink_queue_.front();
      shrink_queue_.pop_front();
      start_shrinking(next);
    }
  }

  struct ShrinkJob {
    PendingBlock* block;
    Finding* finding;
    Effort effort;
  };

  void start_shrinking(const ShrinkJob& job) {
    Finding& finding = *job.finding;
    PendingBlock& block = *job.block;
    processes_.start(
        {.seconds = kSecondsForAFinding,
         .memory = options_.memory_per_case,
         .work = [this, &block, &finding,
                  effort = job.effort](std::int64_t) { return to_json(shrunk(block, finding, effort)); },
         .answered = [&finding](std::int64_t, const std::string& answer) { take_description(finding, answer); },
         .died = [&finding](std::int64_t, const ExitReason& reason) { note_exit(finding, "shrinking", reason); },
         .ended =
             [this, &block, &finding] {
               if (!finding.undescribed.empty()) return start_description(block, finding);
               finish_shrink_job(block);
             }});
  }

  // Describes the case as it was drawn, after the process that shrank it has died.
  void start_description(PendingBlock& block, Finding& finding) {
    processes_.start(
        {.seconds = kSecondsForAFinding,
         .memory = options_.memory_per_case,
         .work =
             [this, drawn = finding](std::int64_t) mutable {
               drawn.undescribed.clear();
               return to_json(described(drawn, setup_));
             },
         .answered = [&finding](std::int64_t, const std::string& answer) { take_description(finding, answer); },
         // The finding notes how the job ended.
         .died = [](std::int64_t, const ExitReason&) {},
         .ended = [&block] { finish_shrink_job(block); }});
  }

  static void finish_shrink_job(PendingBlock& block) {
    if (--block.shrink_jobs_left == 0) block.stage = PendingBlock::Stage::ready;
  }

  [[nodiscard]] Finding shrunk(const PendingBlock& block, const Finding& finding, Effort effort) const {
    Finding result = shrink_any_finding(finding, setup_, kSecondsToShrink, effort);
    if (result.failure.ends_with(kOnlyAmongOthers)) {
      std::vector<AnyCase> before;
      for (std::int64_t index = first_case_of_process(block, finding.index); index < finding.index; ++index) {
        before.push_back(draw(index, block.outcomes[static_cast<std::size_t>(index - block.begin)].attempt));
      }
      if (auto found = find_cases_before(finding, before, setup_)) return std::move(*found);
    }
    result.explanation = explanation_of(result);
    result.cell = finding.cell;
    result.index = finding.index;
    result.drawn_kind = finding.drawn_kind;
    return result;
  }

  // Returns the first case that was verified by the same process as the case `index`.
  static std::int64_t first_case_of_process(const PendingBlock& block, std::int64_t index) {
    const auto next_exit = std::ranges::lower_bound(block.exits, index);
    return next_exit == block.exits.begin() ? block.begin : *std::prev(next_exit) + 1;
  }

  [[nodiscard]] Finding new_finding(std::int64_t index, const CaseOutcome& outcome) {
    Finding finding = undescribed(draw(index, outcome.attempt), outcome, index, setup_);
    const auto reason = exit_texts_.find(index);
    finding.failure = reason == exit_texts_.end() ? std::string() : "died: " + reason->second;
    return finding;
  }

  // Drops the outcomes that need a recheck, because there is no time for it.
  void drop_unrechecked(PendingBlock& block) const {
    for (CaseOutcome& outcome : block.outcomes) {
      if (recheck_.is_due(outcome)) outcome = {};
    }
  }

  // Counts the differences found so far when the run is interrupted, although their blocks are incomplete and their
  // cases are not shrunk.
  void count_unfinished_blocks() {
    const std::size_t counted = run_.findings.size();
    for (PendingBlock& block : pending_blocks_) {
      if (block.stage < PendingBlock::Stage::ran) drop_unrechecked(block);
      if (block.stage < PendingBlock::Stage::shrinking) choose_findings(block);
      for (std::size_t i = 0; i < block.outcomes.size(); ++i) {
        if (is_finding(block.outcomes[i])) {
          count(run_, block.outcomes[i], strategy_name(options_, block.begin + static_cast<std::int64_t>(i)));
        }
      }
      run_.findings.insert(run_.findings.end(), block.findings.begin(), block.findings.end());
    }
    try {
      describe_within(kTimeToDescribe, std::span(run_.findings).subspan(counted), setup_, options_.workers);
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

  void commit(PendingBlock& block) {
    if (is_subject_changed()) return;
    RecordBlock record{.number = block.number};
    for (std::size_t i = 0; i < block.outcomes.size(); ++i) {
      const std::int64_t index = block.begin + static_cast<std::int64_t>(i);
      const CaseOutcome& outcome = block.outcomes[i];
      count(record, outcome, strategy_name(options_, index));
      exit_texts_.erase(index);
    }
    record.counts.findings.assign(block.findings.begin(), block.findings.end());
    merge(run_, record.counts);
    run_.findings.insert(run_.findings.end(), block.findings.begin(), block.findings.end());
    note_time();
    run_.finished = next_block_begin() >= options_.cases && pending_blocks_.size() == 1;
    go_on_ = calls_.block(record, run_);
    std::error_code ignored;
    if (!options_.journal_folder.empty()) std::filesystem::remove(journal_file(block.number), ignored);
  }

  const CampaignOptions& options_;
  Reference reference_;
  CaseSetup setup_{reference_, options_.subject, options_.rules, options_.seconds_per_case};
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
  bool is_rechecking_ = false;
  // The blocks in the order of the sequence. A deque keeps references to its elements valid.
  std::deque<PendingBlock> pending_blocks_;
  Kinds kinds_;
  // Number of findings by the kind under which they are counted.
  std::map<std::string, std::size_t> kept_;
  std::deque<ShrinkJob> shrink_queue_;
  std::deque<std::pair<PendingBlock*, std::int64_t>> recheck_queue_;
  std::map<std::int64_t, std::string> exit_texts_;
  // Declared after the members that its tasks refer to, so that it is destroyed before them.
  Processes processes_;
  Recheck recheck_{processes_, setup_, options_.memory_per_case};
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
