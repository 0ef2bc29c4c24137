#pragma once
// Verifies a case again whose outcome the machine may have caused (needs_recheck()), so that lack of memory is not
// reported as a difference.

#include <cstdint>
#include <functional>
#include <memory>

#include "cases/operators/any_case.h"
#include "props/process/forked_task.h"
#include "props/verify/outcome.h"

namespace tieout {

// Returns how many processes the kernel has ended for lack of memory since it started; 0 if it does not report that.
[[nodiscard]] std::int64_t processes_ended_for_memory();

// Verifies cases again in the caller's processes. The caller starts it only while no other process runs, so that the
// case has the whole machine.
class Recheck {
 public:
  // memory: memory limit of a worker in bytes, or 0. The arguments must outlive this object.
  Recheck(Processes& processes, const CaseSetup& setup, std::int64_t memory);

  // True if needs_recheck() holds, and for any crash but a hang if the memory limit is low, because much code does
  // not check whether an allocation succeeded.
  [[nodiscard]] bool is_due(const CaseOutcome& outcome) const;

  // Verifies c alone, and once more with a larger memory limit if the limit is low and the case fails again. `done`
  // gets the outcome that counts:
  // - that of the new attempt if it needs no recheck; but a crash that is the implementation's own remains one;
  // - Status::no_resources if the case passes with more memory, or if the machine ends every process;
  // - otherwise the failure, which repeats.
  //
  // first: the outcome in the run.
  void start(const AnyCase& c, const CaseOutcome& first, std::function<void(CaseOutcome)> done);

 private:
  struct Attempt;

  void run(std::shared_ptr<Attempt> attempt);
  void finish_attempt(const std::shared_ptr<Attempt>& attempt);
  [[nodiscard]] CaseOutcome final_outcome(const Attempt& attempt) const;
  [[nodiscard]] bool is_memory_low() const;

  Processes& processes_;
  const CaseSetup& setup_;
  std::int64_t memory_;
  std::int64_t ended_before_ = processes_ended_for_memory();
};

}  // namespace tieout
