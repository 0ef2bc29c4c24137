#include "cli/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>

namespace tieout {

Progress::Progress(std::int64_t total) : total_(total), terminal_(isatty(STDERR_FILENO) == 1) {}

void Progress::show(std::int64_t done, std::int64_t differences) {
  if (!terminal_) return;
  const auto now = Clock::now();
  if (now - drawn_ < std::chrono::milliseconds(100)) return;
  drawn_ = now;
  constexpr std::int64_t kWidth = 24;  // with the figures below, a line stays within 80 columns
  const std::int64_t filled = std::clamp<std::int64_t>(done * kWidth / std::max<std::int64_t>(1, total_), 0, kWidth);
  const double elapsed = std::chrono::duration<double>(now - start_).count();
  const double rate = static_cast<double>(done) / std::max(elapsed, 1e-9);
  const double left = done == 0 ? 0 : static_cast<double>(total_ - done) / rate;
  fmt::print(stderr, "\r\033[K[{:<{}}] {}/{} {:.0f}/s {:.0f} s left, {} differ",
             std::string(static_cast<std::size_t>(filled), '#'), kWidth, done, total_, rate, left, differences);
  std::fflush(stderr);
}

void Progress::finish() const {
  if (terminal_) fmt::print(stderr, "\r\033[K");
}

}  // namespace tieout
