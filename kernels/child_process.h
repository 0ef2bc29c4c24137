#pragma once
// A subject's process: a program behind two pipes, its standard input and output, under a supervisor (kernels/supervisor.h).

#include <sys/types.h>

#include <chrono>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "kernels/subject.h"

namespace tieout {

class ChildProcess {
 public:
  // A command line for the shell, or the path of a library, whose host speaks host_protocol.h. From then on, other processes of
  // the same user cannot read the memory of this one. Error: starved; absent, if tieout's own host is missing.
  enum class Kind { command, library };
  [[nodiscard]] static tl::expected<ChildProcess, SubjectError> start(Kind kind, const std::string& text);

  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&& other) = delete;
  // Ends it and all that it started. In a process that was forked off the one that started it, does nothing.
  ~ChildProcess();

  // Whether this process has started it: after a fork, two would speak at once.
  [[nodiscard]] bool is_ours() const;

  // Sends all of it, reading what comes meanwhile. Errors here and below: died or hung, with how.
  using Clock = std::chrono::steady_clock;
  [[nodiscard]] tl::expected<void, SubjectError> send(std::string_view bytes, Clock::time_point deadline);

  // Bytes that can be sent at once, without waiting for it to read them.
  [[nodiscard]] std::size_t room() const;

  // Up to a newline, which is taken and not returned; at most 10,000 bytes.
  [[nodiscard]] tl::expected<std::string, SubjectError> read_line(Clock::time_point deadline);
  [[nodiscard]] tl::expected<std::string, SubjectError> read_bytes(std::size_t count, Clock::time_point deadline);

  // Ends it and all that it started. Returns the last line of its standard error, printable.
  std::string end();

  // The time that lies so many seconds ahead.
  [[nodiscard]] static Clock::time_point after(double seconds);

 private:
  ChildProcess(pid_t supervisor, int in, int out, int control);
  [[nodiscard]] tl::expected<void, SubjectError> wait_and_read(bool writing, Clock::time_point deadline);
  [[nodiscard]] SubjectError how_it_ended();
  void wait_for_supervisor();

  pid_t supervisor_, owner_;
  int in_, out_;        // our ends of its standard input and output
  int control_;         // our end of the supervisor's socket
  std::string unread_;  // that it has written
};

}  // namespace tieout
