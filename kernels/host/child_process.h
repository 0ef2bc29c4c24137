#pragma once
// Starts a subject's program and exchanges bytes with it through two pipes, its standard input and output. The program
// runs under a supervisor (kernels/host/supervisor.h).

#include <sys/types.h>

#include <chrono>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "kernels/subject/subject.h"

namespace tieout {

class ChildProcess {
 public:
  // Starts a command line in the shell, or the host of the library at a path; the host uses the messages of
  // host_protocol.h. text: the command line or the path. From then on, other processes of the same user cannot read the
  // memory of the calling process. Error: no_resources if the system refuses file descriptors or a process; absent if
  // tieout-subject-host is missing.
  enum class Kind { command, library };
  [[nodiscard]] static tl::expected<ChildProcess, SubjectError> start(Kind kind, const std::string& text);

  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&& other) = delete;
  // Calls end(), except in a process that was forked off the one that started the subject: there it does nothing.
  ~ChildProcess();

  // Returns true if the calling process started the subject. A forked child must not use its parent's pipes, because
  // two processes would write to the subject at once.
  [[nodiscard]] bool is_ours() const;

  // Sends all bytes and meanwhile reads what the subject writes, so that neither process blocks the other. Errors here
  // and below: died or hung, with the cause in the message. send() also fails with misbehaved if more than 1 MiB
  // arrives before all bytes are sent.
  using Clock = std::chrono::steady_clock;
  [[nodiscard]] tl::expected<void, SubjectError> send(std::string_view bytes, Clock::time_point deadline);

  // Returns the capacity of the pipe to the subject in bytes, or 0 if it is unknown. As much can be sent before the
  // subject reads.
  [[nodiscard]] std::size_t room() const;

  // Returns the next line without its newline. Error: also misbehaved, if more than 10,000 bytes arrive without a
  // newline.
  [[nodiscard]] tl::expected<std::string, SubjectError> read_line(Clock::time_point deadline);
  [[nodiscard]] tl::expected<std::string, SubjectError> read_bytes(std::size_t count, Clock::time_point deadline);

  // Ends the subject and every process that it started. Returns the last line of its standard error with unprintable
  // bytes escaped, or nothing if that line is unknown.
  std::string end();

  // Returns the point in time that lies `seconds` ahead.
  [[nodiscard]] static Clock::time_point after(double seconds);

 private:
  ChildProcess(pid_t supervisor, int in, int out, int control);
  [[nodiscard]] tl::expected<void, SubjectError> wait_and_read(bool writing, Clock::time_point deadline);
  [[nodiscard]] SubjectError how_it_ended();
  void wait_for_supervisor();

  pid_t supervisor_, owner_;
  int in_, out_;        // this process's ends of the subject's standard input and output
  int control_;         // this process's end of the supervisor's socket
  std::string unread_;  // bytes that the subject has written and no call has taken yet
};

}  // namespace tieout
