#pragma once
// A line of progress on a terminal; nothing where standard error is not one.

#include <chrono>
#include <cstdint>

namespace tieout {

class Progress {
 public:
  explicit Progress(std::int64_t total);

  // Draws at most ten times a second.
  void show(std::int64_t done, std::int64_t differences);

  // Wipes the line, so that what follows starts in an empty one.
  void finish() const;

 private:
  using Clock = std::chrono::steady_clock;
  std::int64_t total_;
  bool terminal_;
  Clock::time_point start_ = Clock::now();
  Clock::time_point drawn_{};
};

}  // namespace tieout
