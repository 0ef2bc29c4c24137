#pragma once
// What a worker tells of a case: enough to count it. A finding is made again where it is reduced.

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "oracle/libtorch.h"
#include "props/case_class.h"
#include "props/isolated.h"
#include "props/verify.h"
#include "reports/run_record.h"
#include "reports/run_summary.h"

namespace tieout {

struct CaseOutcome {
  Status status = Status::passed;
  std::int64_t elements = 0;  // compared
  std::uint64_t classes = 0;  // ClassSet
  double seconds = 0;         // all that the case took
  double seconds_in_engine = 0;
  std::int64_t departing = 0;  // elements of a passed case at which the reference departs from the exact contract
  std::string departure;       // why; empty where departing is 0
  std::string reason;          // as Verdict has it; kind_of() the finding where it differed or crashed
  Cell cell;
  std::int64_t attempt = 0;                      // which case for its index this was, see case_of()
  std::map<std::string, std::int64_t> declined;  // of the attempts before, by the subject's reason
};

// Runs the case in this process, where LibTorch is not run if it is known to leave its buffers; or in one of its own.
enum class Placement { here, alone };
struct Examination {
  LibTorch& reference;
  Subject* subject = nullptr;  // who is verified; nullptr: LibTorch itself
  Rules rules;                 // for it
  double seconds = 60;         // what a hang is, of a case that runs alone
};
[[nodiscard]] CaseOutcome examine(const ConvCase& c, const Examination& how, Placement where);

// Runs case after case of one index in this process until the subject does not decline, at most `attempts` of them.
// case_for: the case of an attempt, counted from 0.
[[nodiscard]] CaseOutcome examine_first_taken(const std::function<ConvCase(std::int64_t attempt)>& case_for,
                                              std::int64_t attempts, const Examination& how);

// Whether the subject declined the case.
[[nodiscard]] bool is_declined(const CaseOutcome& outcome);

[[nodiscard]] CaseOutcome outcome_of(const ConvCase& c, const Verdict& verdict, const LibTorch& reference);

// The outcome of a case on which the worker died: mistrusted where that is known of the reference; starved where the worker
// had no memory.
[[nodiscard]] CaseOutcome death_of(const ConvCase& c, const Examination& how, const Death& death);

// Whether it is one to be kept: it differed, or died where nobody knew that it would.
[[nodiscard]] bool is_finding(const CaseOutcome& outcome);

// True if the machine and not an implementation may have caused the outcome: for lack of memory or of a process, or by
// SIGKILL from outside. Of LibTorch that is any refusal and any crash but a hang, because they are rare.
[[nodiscard]] bool is_doubtful(const CaseOutcome& outcome, const Subject* subject);

[[nodiscard]] std::string pack(const CaseOutcome& outcome);
// Nothing where pack() cannot have written these bytes: the process that sent them has written over its own memory.
[[nodiscard]] std::optional<CaseOutcome> unpack(const std::string& bytes);
inline constexpr const char* kOverwritten = "wrote over its own answers";  // what is then said of the process

// Adds a case to what has been counted. strategy: what it was drawn for.
void count(RunSummary& run, const CaseOutcome& outcome, std::string_view strategy);

// Likewise to a block, with its letter of kVerdictLetters, and a digest of everything that is counted but times.
void count(RecordBlock& block, const CaseOutcome& outcome, std::string_view strategy);

}  // namespace tieout
