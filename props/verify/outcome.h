#pragma once
// Holds what a worker reports of a case: enough to count it. A finding is computed again where it is shrunk.

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "props/generate/case_class.h"
#include "props/process/forked_task.h"
#include "props/verify/reference.h"
#include "props/verify/verify.h"
#include "reports/data/run_summary.h"
#include "reports/records/run_record.h"

namespace tieout {

struct CaseOutcome {
  Status status = Status::passed;
  std::int64_t elements = 0;  // Number of elements compared.
  // The bits of a ClassSet.
  std::uint64_t classes = 0;
  double seconds = 0;  // All time that the case took.
  double seconds_in_engine = 0;
  // Number of elements of a passed case at which the reference departs from the exact contract.
  std::int64_t departing = 0;
  // The reason for that; empty if departing is 0.
  std::string departure;
  // The reason of the Verdict; kind_of() the finding if the case differed or crashed.
  std::string reason;
  Cell cell;
  // The attempt for the case's index that this case was, see case_of().
  std::int64_t attempt = 0;
  // Number of earlier attempts that the subject declined, by its reason.
  std::map<std::string, std::int64_t> declined;
};

// Selects whether a case runs in this process, where LibTorch is not run if it is known to access memory outside of its
// buffers, or in one of its own.
enum class Placement { here, alone };
// Holds what the cases of a run have in common: the implementations, the rules and the time limit.
struct CaseSetup {
  Reference reference;
  // The subject under test; nullptr: LibTorch itself.
  Subject* subject = nullptr;
  // The rules for the subject.
  Rules rules;
  // Time limit of a case that runs alone.
  double seconds = 60;
};

// Runs the implementations on the case and compares them.
[[nodiscard]] CaseOutcome run_case(const ConvCase& c, const CaseSetup& setup, Placement where);

// Runs the cases of one index until the subject does not decline one, at most `attempts` of them. run: runs the case of
// an attempt, counted from 0.
[[nodiscard]] CaseOutcome run_first_taken_case(const std::function<CaseOutcome(std::int64_t attempt)>& run,
                                               std::int64_t attempts);

// True if the subject declined the case.
[[nodiscard]] bool is_declined(const CaseOutcome& outcome);

[[nodiscard]] CaseOutcome outcome_of(const ConvCase& c, const Verdict& verdict, const Reference& reference);

// Returns the outcome of a case whose worker ended without an answer: known_defect if LibTorch has a known defect
// there, no_resources if the worker was refused memory or a process, unavailable if another reference than LibTorch ran
// within the worker, and otherwise crashed.
[[nodiscard]] CaseOutcome outcome_of_exit(const ConvCase& c, const CaseSetup& setup, const ExitReason& reason);

// True if the outcome is a finding to keep: the case differed, or crashed where no defect is known.
[[nodiscard]] bool is_finding(const CaseOutcome& outcome);

// True if the machine and not an implementation may have caused the outcome: by lack of memory or of a process, or by
// SIGKILL from outside. For LibTorch this includes any refusal and any crash but a hang, because these are rare.
[[nodiscard]] bool needs_recheck(const CaseOutcome& outcome, const Subject* subject);

[[nodiscard]] std::string pack(const CaseOutcome& outcome);
// Returns nothing if pack() cannot have written these bytes: the process that sent them has then overwritten its own
// memory.
[[nodiscard]] std::optional<CaseOutcome> unpack(const std::string& bytes);
// The reason that is reported for such a process.
inline constexpr const char* kOverwritten = "wrote over its own answers";

// Returns the outcome of the case that a worker answered with these bytes: that of unpack(), or else
// outcome_of_exit() with kOverwritten.
[[nodiscard]] CaseOutcome outcome_of_answer(const ConvCase& c, const CaseSetup& setup, const std::string& bytes);

// Adds a case to a run's counts. strategy: what it was drawn for.
void count(RunSummary& run, const CaseOutcome& outcome, std::string_view strategy);

// Adds a case to a block in the same way, with its letter of kStatusNames, and to the block's digest of everything
// that is counted but times.
void count(RecordBlock& block, const CaseOutcome& outcome, std::string_view strategy);

}  // namespace tieout
