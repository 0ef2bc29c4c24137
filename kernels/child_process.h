#pragma once
// A program behind two pipes: its standard input and output. What it writes to standard error is seen.

#include <sys/types.h>

#include <chrono>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "kernels/subject.h"

namespace tieout {

class ChildProcess {
 public:
  // Error: absent. command: for the shell.
  [[nodiscard]] static tl::expected<ChildProcess, SubjectError> start(const std::string& command);

  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&& other) = delete;
  // Ends it and all that it started. A process that was forked off the one that started it only closes its pipes.
  ~ChildProcess();

  // Whether this process has started it: after a fork, two would speak at once.
  [[nodiscard]] bool is_ours() const;

  // Sends all of it, reading what comes meanwhile. Errors here and below: died or hung, with how.
  using Clock = std::chrono::steady_clock;
  [[nodiscard]] tl::expected<void, SubjectError> send(std::string_view bytes, Clock::time_point deadline);

  // Up to a newline, which is taken and not returned; at most 10,000 bytes.
  [[nodiscard]] tl::expected<std::string, SubjectError> read_line(Clock::time_point deadline);
  [[nodiscard]] tl::expected<std::string, SubjectError> read_bytes(std::size_t count, Clock::time_point deadline);

 private:
  ChildProcess(pid_t pid, int in, int out);
  [[nodiscard]] tl::expected<void, SubjectError> wait_and_read(bool writing, Clock::time_point deadline);
  [[nodiscard]] SubjectError how_it_ended();

  pid_t pid_, owner_;
  int in_, out_;        // our ends of its standard input and output
  std::string unread_;  // that it has written
};

}  // namespace tieout
