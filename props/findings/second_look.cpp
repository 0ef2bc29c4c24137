#include "props/findings/second_look.h"

#include <algorithm>
#include <fstream>
#include <memory>
#include <string>
#include <utility>

namespace tieout {
namespace {

// The limit of memory of a second look with more memory.
constexpr std::int64_t kMostMemory = std::int64_t{4} << 30U;

CaseOutcome starved(CaseOutcome outcome, std::string reason) {
  outcome.status = Status::starved;
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

struct SecondLook::Look {
  ConvCase c;
  // The outcome in the run, and that of this look.
  CaseOutcome first, again;
  std::int64_t memory = 0;
  bool with_more_memory = false;
  std::function<void(CaseOutcome)> done;
};

SecondLook::SecondLook(Processes& processes, const Examination& how, std::int64_t memory)
    : processes_(processes), how_(how), memory_(memory) {}

bool SecondLook::is_memory_low() const { return memory_ > 0 && memory_ < kMostMemory; }

bool SecondLook::is_due(const CaseOutcome& outcome) const {
  const bool hangs = outcome.reason == "died: hang";
  return is_doubtful(outcome, how_.subject) || (outcome.status == Status::crashed && !hangs && is_memory_low());
}

void SecondLook::start(const ConvCase& c, const CaseOutcome& doubtful, std::function<void(CaseOutcome)> done) {
  auto look = std::make_shared<Look>();
  look->c = c;
  look->first = doubtful;
  look->memory = memory_;
  look->done = std::move(done);
  run(std::move(look));
}

void SecondLook::run(std::shared_ptr<Look> look) {
  processes_.start(
      {.seconds = how_.seconds,
       .memory = look->memory,
       .work = [this, look](std::int64_t) { return pack(examine(look->c, how_, Placement::here)); },
       .answered =
           [this, look](std::int64_t, const std::string& answer) {
             auto outcome = unpack(answer);
             look->again = outcome ? std::move(*outcome) : death_of(look->c, how_, Death{.last_words = kOverwritten});
           },
       .died = [this, look](std::int64_t, const Death& death) { look->again = death_of(look->c, how_, death); },
       .ended = [this, look] { conclude(look); }});
}

void SecondLook::conclude(const std::shared_ptr<Look>& look) {
  if (is_finding(look->again) && is_due(look->again) && !look->with_more_memory && is_memory_low()) {
    look->with_more_memory = true;
    look->memory = std::min(8 * memory_, kMostMemory);
    look->first = look->again;
    return run(look);
  }
  look->done(settled(*look));
}

CaseOutcome SecondLook::settled(const Look& look) const {
  const CaseOutcome& again = look.again;
  if (!is_due(again)) {
    if (look.with_more_memory && !is_finding(again)) {
      return starved(again, "fails with the memory that a worker may take, and passes with more: raise --memory");
    }
    const bool by_machine = look.first.status != Status::crashed || is_killed(look.first) || is_memory_low();
    return by_machine ? again : look.first;
  }
  if (again.status == Status::starved) return again;
  const bool ended_for_memory = processes_ended_for_memory() > ended_before_;
  // LibTorch sends no signals, but a subject may kill itself.
  if (is_killed(again) && (how_.subject == nullptr || ended_for_memory)) {
    return starved(again, "killed by SIGKILL, from outside or for lack of memory");
  }
  return again;
}

}  // namespace tieout
