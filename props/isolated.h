#pragma once
// Code that may die, run in a forked process: what it crashes or hangs on costs one piece of work and not the run.

#include <cstdint>
#include <functional>
#include <string>
#include <tl/expected.hpp>

namespace tieout {

// How a process ended that should have answered.
struct Death {
  int signal = 0;          // 0: it exited by itself
  bool timed_out = false;  // it was killed, because it took too long
  std::string last_words;  // the end of what it wrote to standard error

  // "SIGSEGV", "hang", "SIGABRT: corrupted size vs. prev_size"
  [[nodiscard]] std::string text() const;
};

// The answer of `work`, run alone in a process of its own.
[[nodiscard]] tl::expected<std::string, Death> run_alone(const std::function<std::string()>& work, double seconds);

struct IsolatedCalls {
  std::function<std::string(std::int64_t)> work;                          // in the worker
  std::function<bool(std::int64_t, const std::string& answer)> answered;  // here; false stops the run
  std::function<bool(std::int64_t, const Death&)> died;                   // likewise
  std::function<bool()> idle;                                             // here, a few times a second; likewise
};

// Runs work(begin) .. work(end - 1) in order, in one worker process that is replaced when it dies. Every index is answered
// or died on, exactly once, in order. seconds: limit of one index.
void run_isolated(std::int64_t begin, std::int64_t end, double seconds, const IsolatedCalls& calls);

}  // namespace tieout
