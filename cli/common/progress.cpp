#include "cli/common/progress.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "reports/text/number_text.h"

namespace tieout {
namespace {

// Formats seconds: 75 as "1:15", 3700 as "1:01:40".
std::string clock_text(double seconds) {
  const auto whole = static_cast<std::int64_t>(seconds);
  if (whole >= 3600) return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

// Returns for example "3 tie, 1 died: SIGSEGV", the most frequent first, cut to `room` characters.
std::string differences_text(const RunSummary& run, std::size_t room) {
  if (run.differences.empty()) return "no difference";
  std::vector<std::pair<std::int64_t, std::string>> kinds;
  for (const auto& [kind, count] : reported_differences(run)) kinds.emplace_back(-count, kind);
  std::ranges::sort(kinds);
  std::string text;
  for (const auto& [count, kind] : kinds)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", grouped(-count), kind);
  if (text.size() > room) text = text.substr(0, room - 3) + "...";
  return text;
}

}  // namespace

Progress::Progress(std::int64_t cases, double seconds)
    : cases_(cases), seconds_(seconds), terminal_(isatty(STDERR_FILENO) == 1) {}

void Progress::show(const RunSummary& so_far, std::int64_t answered, std::int64_t running) {
  const auto now = Clock::now();
  if (cases_before_ < 0) {
    cases_before_ = so_far.cases.all();
    before_ = so_far.seconds;
    if (!terminal_) drawn_ = now;
  }
  if (now - drawn_ < (terminal_ ? std::chrono::milliseconds(100) : std::chrono::minutes(1))) return;
  drawn_ = now;
  const std::int64_t done = so_far.cases.all() + answered;
  const double rate = static_cast<double>(done - cases_before_) / std::max(so_far.seconds - before_, 1e-9);
  double left = rate > 0 ? static_cast<double>(cases_ - done) / rate : 0;
  double share = static_cast<double>(done) / static_cast<double>(std::max<std::int64_t>(1, cases_));
  if (seconds_ > 0) {
    left = std::max(0.0, seconds_ - so_far.seconds);
    share = std::max(share, so_far.seconds / seconds_);
  }
  const std::string line =
      fmt::format("{:.0f} % {} cases {:.0f}/s {}, {} left, {} worker{}: ", 100 * std::min(share, 1.0), grouped(done),
                  rate, clock_text(so_far.seconds), clock_text(left), running, running == 1 ? "" : "s");
  const std::size_t room = terminal_ ? std::max<std::size_t>(10, 79 - std::min<std::size_t>(line.size(), 69)) : 200;
  // fmt::print would throw after the terminal has been closed, and the run would be lost.
  std::fputs(
      fmt::format("{}{}{}{}", terminal_ ? "\r\033[K" : "", line, differences_text(so_far, room), terminal_ ? "" : "\n")
          .c_str(),
      stderr);
}

void Progress::show(std::int64_t done, std::int64_t differing, const char* what) {
  const auto now = Clock::now();
  if (!terminal_ || now - drawn_ < std::chrono::milliseconds(100)) return;
  drawn_ = now;
  fmt::print(stderr, "\r\033[K{}/{} {}, {} differ", done, cases_, what, differing);
  std::fflush(stderr);
}

void Progress::finish() const {
  if (terminal_) std::fputs("\r\033[K", stderr);
}

}  // namespace tieout
