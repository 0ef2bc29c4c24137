#pragma once
// Verifies a case again whose outcome the machine may have caused (is_doubtful()): pressure is no difference.

#include <cstdint>
#include <functional>
#include <memory>

#include "cases/conv_case.h"
#include "props/isolated.h"
#include "props/outcome.h"

namespace tieout {

// How many processes the kernel has ended for lack of memory since it started; 0 where it does not tell.
[[nodiscard]] std::int64_t processes_ended_for_memory();

// Runs looks in the caller's processes. The caller starts one only while it runs nothing else, so that the case has the
// machine for itself.
class SecondLook {
 public:
  // memory: limit of a worker in bytes, or 0. All that is passed outlives this.
  SecondLook(Processes& processes, const Examination& how, std::int64_t memory);

  // True if the outcome is doubtful; and of any crash but a hang where the limit of memory is low, because much code
  // does not look whether it got the memory that it asked for.
  [[nodiscard]] bool is_due(const CaseOutcome& outcome) const;

  // Verifies c alone; and once more with a larger limit of memory if that is low and it fails again. `done` gets the
  // outcome that counts:
  // - that of the first look, where it is not doubtful; but a crash that is the implementation's own remains one;
  // - starved, where the case passes with more memory, or where the machine ends every process;
  // - otherwise the failure, which repeats. doubtful: the outcome in the run.
  void start(const ConvCase& c, const CaseOutcome& doubtful, std::function<void(CaseOutcome)> done);

 private:
  struct Look;

  void run(std::shared_ptr<Look> look);
  void conclude(const std::shared_ptr<Look>& look);
  [[nodiscard]] CaseOutcome settled(const Look& look) const;
  [[nodiscard]] bool is_memory_low() const;

  Processes& processes_;
  const Examination& how_;
  std::int64_t memory_;
  std::int64_t ended_before_ = processes_ended_for_memory();
};

}  // namespace tieout
