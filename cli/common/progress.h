#pragma once
// Shows the progress of a run on standard error: one line that is redrawn on a terminal, or one line per minute in a
// log.

#include <chrono>
#include <cstdint>

#include "reports/data/run_summary.h"

namespace tieout {

class Progress {
 public:
  // cases: number of cases, or of other units, to be done. seconds: time limit of the run; 0: none.
  explicit Progress(std::int64_t cases, double seconds = 0);

  // Draws the line at most ten times a second. answered: number of cases in blocks that are not complete, which so_far
  // does not count yet. running: number of worker processes.
  void show(const RunSummary& so_far, std::int64_t answered, std::int64_t running);

  // Does the same on a terminal only, for work that is not counted in cases. what: the unit, in the plural.
  void show(std::int64_t done, std::int64_t differing, const char* what);

  // Clears the line, so that later output starts in an empty one.
  void finish() const;

 private:
  using Clock = std::chrono::steady_clock;
  std::int64_t cases_;
  double seconds_;
  bool terminal_;
  Clock::time_point drawn_{};
  // Seconds and cases of the run when this process resumed it; -1: show() has not been called.
  double before_ = 0;
  std::int64_t cases_before_ = -1;
};

}  // namespace tieout
