#pragma once
// How a run is getting on: one line that is drawn again and again on a terminal; elsewhere, in a log, a line a minute.

#include <chrono>
#include <cstdint>

#include "reports/run_summary.h"

namespace tieout {

class Progress {
 public:
  // What is to be done: cases, or seconds where that is not 0.
  explicit Progress(std::int64_t cases, double seconds = 0);

  // Draws at most ten times a second. answered: cases of blocks that are not complete, which so_far does not count yet.
  // running: worker processes.
  void show(const RunSummary& so_far, std::int64_t answered, std::int64_t running);

  // The same where the work is counted in something else than cases.
  void show(std::int64_t done, std::int64_t differing, const char* what);

  // Wipes the line, so that what follows starts in an empty one.
  void finish() const;

 private:
  using Clock = std::chrono::steady_clock;
  std::int64_t cases_;
  double seconds_;
  bool terminal_;
  Clock::time_point drawn_{};
  double before_ = 0;  // seconds and cases of the run when this process took it over
  std::int64_t cases_before_ = -1;
};

}  // namespace tieout
