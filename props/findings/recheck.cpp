#include "props/findings/recheck.h"

#include <algorithm>
#include <fstream>
#include <memory>
#include <string>
#include <utility>

#include "props/operators/any_case_outcome.h"

namespace tieout {
namespace {

// The limit of memory of an attempt with more memory.
constexpr std::int64_t kMostMemory = std::int64_t{4} << 30U;

CaseOutcome starved_outcome(CaseOutcome outcome, std::string reason) {
  outcome.status = Status::no_resources;
  outcome.reason = std::move(reason);
  return outcome;
}

bool is_killed(const CaseOutcome& outcome) {
  const auto mentions = [&](const char* words) { return outcome.reason.find(words) != std::string::npos; };
  return outcome.status == Status::crashed && (mentions("SIGKILL") || mentions("ended its supervisor"));
}

}  // namespace

std::int64_t processes_ended_for_memory() {
  std::ifstream file("/proc/vmstat");
  std::string name;
  for (std::int64_t value = 0; file >> name >> value;) {
    if (name == "oom_kill") return value;
  }
  return 0;
}

struct Recheck::Attempt {
  AnyCase c;
  // The outcome in the run, and that of this attempt.
  CaseOutcome first, again;
  std::int64_t memory = 0;
  bool with_more_memory = false;
  std::function<void(CaseOutcome)> done;
};

Recheck::Recheck(Processes& processes, const CaseSetup& setup, std::int64_t memory)
    : processes_(processes), setup_(setup), memory_(memory) {}

bool Recheck::is_memory_low() const { return memory_ > 0 && memory_ < kMostMemory; }

bool Recheck::is_due(const CaseOutcome& outcome) const {
  const bool hangs = outcome.reason == "died: hang";
  return needs_recheck(outcome, setup_.subject) || (outcome.status == Status::crashed && !hangs && is_memory_low());
}

void Recheck::start(const AnyCase& c, const CaseOutcome& first, std::function<void(CaseOutcome)> done) {
  auto attempt = std::make_shared<Attempt>();
  attempt->c = c;
  attempt->first = first;
  attempt->memory = memory_;
  attempt->done = std::move(done);
  run(std::move(attempt));
}

void Recheck::run(std::shared_ptr<Attempt> attempt) {
  processes_.start(
      {.seconds = setup_.seconds,
       .memory = attempt->memory,
       .work = [this, attempt](std::int64_t) { return pack(run_case(attempt->c, setup_, Placement::here)); },
       .answered = [this, attempt](
                       std::int64_t,
                       const std::string& answer) { attempt->again = outcome_of_answer(attempt->c, setup_, answer); },
       .died = [this, attempt](
                   std::int64_t,
                   const ExitReason& reason) { attempt->again = outcome_of_exit(attempt->c, setup_, reason); },
       .ended = [this, attempt] { finish_attempt(attempt); }});
}

void Recheck::finish_attempt(const std::shared_ptr<Attempt>& attempt) {
  if (is_finding(attempt->again) && is_due(attempt->again) && !attempt->with_more_memory && is_memory_low()) {
    attempt->with_more_memory = true;
    attempt->memory = std::min(8 * memory_, kMostMemory);
    attempt->first = attempt->again;
    return run(attempt);
  }
  attempt->done(final_outcome(*attempt));
}

CaseOutcome Recheck::final_outcome(const Attempt& attempt) const {
  const CaseOutcome& again = attempt.again;
  if (!is_due(again)) {
    if (attempt.with_more_memory && !is_finding(again)) {
      return starved_outcome(again,
                             "fails with the memory that a worker may take, and passes with more: raise --memory");
    }
    const bool by_machine = attempt.first.status != Status::crashed || is_killed(attempt.first) || is_memory_low();
    return by_machine ? again : attempt.first;
  }
  if (again.status == Status::no_resources) return again;
  const bool ended_for_memory = processes_ended_for_memory() > ended_before_;
  // LibTorch sends no signals, but a subject may kill itself.
  if (is_killed(again) && (setup_.subject == nullptr || ended_for_memory)) {
    return starved_outcome(again, "killed by SIGKILL, from outside or for lack of memory");
  }
  return again;
}

}  // namespace tieout
