#pragma once
// A subject's process under a supervisor: a small process of its own between a subject and tieout. It reports how the subject
// ended, keeps the end of the subject's standard error, and ends everything that the subject started, whichever of the three
// processes ends first. Part of the program tieout-subject-host.
//
// The supervisor is the parent of the subject and, as "child subreaper" of Linux, becomes the parent of every process that the
// subject leaves behind, however it was forked. It ends when the control socket's other end is closed, so that nothing is left
// when tieout ends, be it by SIGKILL. The subject ends with its supervisor, by SIGKILL (PR_SET_PDEATHSIG).

#include <array>
#include <functional>

namespace tieout {

// File descriptors of the program tieout-subject-host.
inline constexpr int kRequests = 0;  // becomes the subject's standard input
inline constexpr int kAnswers = 1;   // becomes the subject's standard output
inline constexpr int kControl =
    3;  // a socket of whole messages (SOCK_SEQPACKET): one SubjectEnd goes out, nothing comes in

// How the subject's process ended, and the last line that it wrote to standard error.
struct SubjectEnd {
  int status = 0;                 // as waitpid() has it; a subject that stops is ended, and is said to have stopped
  std::array<char, 300> words{};  // ends with a zero
};

// Runs `subject` in a child process and supervises it. Returns the program's exit status.
[[nodiscard]] int supervise(const std::function<int()>& subject);

}  // namespace tieout
