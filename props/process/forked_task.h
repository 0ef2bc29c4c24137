#pragma once
// Runs code that may crash or hang in forked processes, so that it costs one piece of work and not the run.

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

// Limits the memory that this process may allocate beyond what it has, in bytes of address space, because the kernel
// can limit that; 0: no limit. A refused allocation throws std::bad_alloc.
void limit_memory(std::int64_t bytes);

// Describes how a process ended that did not answer.
struct ExitReason {
  // 0: the process exited by itself.
  int signal = 0;
  // It was killed because it took too long.
  bool timed_out = false;
  // Memory or a process was refused to it, or SIGKILL came from another process or the kernel.
  bool by_machine = false;
  // The last line that it wrote to standard error, or what ended it.
  std::string stderr_tail;

  // Returns for example "SIGSEGV", "hang" or "SIGABRT: corrupted size vs. prev_size".
  [[nodiscard]] std::string text() const;
};

// Thrown if no process can be started because the machine or a limit refuses memory, a process or a file descriptor for
// more than a second. what() states which, and what to do.
class NoProcess : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Describes pieces of work begin .. end - 1, done in order by one process. A process that dies is replaced by one that
// continues with the next piece. Each piece is either answered or reported as died on, exactly once and in order,
// unless the whole is stopped before. Of the owner's file descriptors the process has standard input, output and error
// only.
struct Task {
  std::int64_t begin = 0, end = 1;
  // Time limit of one piece, seconds.
  double seconds = 60;
  // Bytes that the process may allocate beyond those that it starts with; 0: no limit.
  std::int64_t memory = 0;
  // Runs in the process.
  std::function<std::string(std::int64_t)> work;
  // Runs in the owner.
  std::function<void(std::int64_t, const std::string& answer)> answered;
  // Runs in the owner.
  std::function<void(std::int64_t, const ExitReason&)> died;
  // Runs in the owner, after the last piece.
  std::function<void()> ended = [] {};
};

// Runs tasks at the same time, each in a process of its own. Callbacks are called from within wait() only.
class Processes {
 public:
  Processes();
  Processes(const Processes&) = delete;
  Processes& operator=(const Processes&) = delete;
  // Kills the processes that still run.
  ~Processes();

  // Starts a task. Must not be called from within a callback of wait() other than `ended`. Throws NoProcess, as wait()
  // does.
  void start(Task task);

  [[nodiscard]] std::size_t running() const;

  // Kills the running processes; none of their callbacks is called any more. Must not be called from within a callback.
  void stop();

  // Waits for events for at most `longest`, and calls the callbacks for them.
  void wait(std::chrono::milliseconds longest);

 private:
  class Process;
  std::vector<std::unique_ptr<Process>> processes_;
  // Processes that have answered everything, until they are reaped.
  std::vector<pid_t> leaving_;
};

// Runs one task to its end, or until go_on, which is called a few times a second, returns false.
void run_task(Task task, const std::function<bool()>& go_on = [] { return true; });

// Returns the answer of `work`, run alone in a process of its own.
[[nodiscard]] tl::expected<std::string, ExitReason> run_alone(const std::function<std::string()>& work, double seconds);

}  // namespace tieout
