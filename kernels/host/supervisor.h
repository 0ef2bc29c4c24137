#pragma once
// Runs a subject's process under a supervisor, a small process between the subject and tieout. The supervisor reports
// how the subject ended, keeps the end of the subject's standard error, and ends every process that the subject
// started, whichever of the three processes ends first. It is part of the program tieout-subject-host.
//
// The supervisor is the parent of the subject. As a "child subreaper" of Linux, it also becomes the parent of every
// process that the subject leaves behind, however it was forked. It ends when the other end of the control socket is
// closed, so that no process remains when tieout ends, even by SIGKILL. The subject ends with its supervisor, by
// SIGKILL (PR_SET_PDEATHSIG).

#include <array>
#include <functional>

namespace tieout {

// File descriptors of the program tieout-subject-host.
inline constexpr int kRequests = 0;  // becomes the subject's standard input
inline constexpr int kAnswers = 1;   // becomes the subject's standard output
// A socket of whole messages (SOCK_SEQPACKET): the supervisor sends one SubjectEnd and receives nothing.
inline constexpr int kControl = 3;

// The supervisor's message: how the subject's process ended, and the last line that it wrote to standard error.
struct SubjectEnd {
  int status = 0;                     // status of waitpid(); a subject that stops is ended and reported as stopped
  std::array<char, 300> last_line{};  // zero-terminated
};

// Runs `subject` in a child process and supervises it. Returns the exit status for the program.
[[nodiscard]] int supervise(const std::function<int()>& subject);

}  // namespace tieout
