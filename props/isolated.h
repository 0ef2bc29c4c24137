#pragma once
// Code that may die, run in forked processes: what it crashes or hangs on costs one piece of work and not the run.

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <tl/expected.hpp>
#include <vector>

namespace tieout {

// Limits what this process may take beyond what it has, in bytes of address space, because that is what the kernel can limit;
// 0: no limit. What is refused is a std::bad_alloc.
void limit_memory(std::int64_t bytes);

// How a process ended that should have answered.
struct Death {
  int signal = 0;           // 0: it exited by itself
  bool timed_out = false;   // it was killed, because it took too long
  bool by_machine = false;  // memory or a process was refused to it, or SIGKILL came from another process or the kernel
  std::string last_words;   // the end of what it wrote to standard error

  // "SIGSEGV", "hang", "SIGABRT: corrupted size vs. prev_size"
  [[nodiscard]] std::string text() const;
};

// Thrown where no process can be started: the machine or a limit refuses memory, a process or a file descriptor, for a
// second and more. what() says which, and what to do.
class NoProcess : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Pieces of work begin .. end - 1, done in order by one process. A process that dies is replaced by one that goes on with
// the next piece. Every piece is answered or died on, exactly once and in order, unless the whole is stopped before. Of
// the owner's file descriptors the process has standard input, output and error only.
struct Task {
  std::int64_t begin = 0, end = 1;
  double seconds = 60;      // limit of one piece
  std::int64_t memory = 0;  // bytes that the process may take beyond what it is born with; 0: no limit
  std::function<std::string(std::int64_t)> work;                          // in the process
  std::function<void(std::int64_t, const std::string& answer)> answered;  // here
  std::function<void(std::int64_t, const Death&)> died;                   // here
  std::function<void()> ended = [] {};                                    // here, after the last piece
};

// Tasks, each in a process of its own, as many at a time as are started. Calls back from within wait() only.
class Processes {
 public:
  Processes();
  Processes(const Processes&) = delete;
  Processes& operator=(const Processes&) = delete;
  ~Processes();  // kills what still runs

  // Not from within a callback of wait() but `ended`. Throws NoProcess, as wait() does.
  void start(Task task);

  [[nodiscard]] std::size_t running() const;

  // Kills what runs; none of its callbacks is called any more. Not from within a callback.
  void stop();

  // Waits for something to happen, at most so long, and hands on what did.
  void wait(std::chrono::milliseconds longest);

 private:
  class Process;
  std::vector<std::unique_ptr<Process>> processes_;
  std::vector<pid_t> leaving_;  // have answered everything, and are not waited for
};

// Runs one task to its end, or until go_on, which is asked a few times a second, answers false.
void run_task(Task task, const std::function<bool()>& go_on = [] { return true; });

// The answer of `work`, run alone in a process of its own.
[[nodiscard]] tl::expected<std::string, Death> run_alone(const std::function<std::string()>& work, double seconds);

}  // namespace tieout
