#include "cli/common/own_process.h"

#include <fmt/core.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "cli/common/commands.h"

namespace tieout {

int in_own_process(const char* who, const std::function<int()>& work) {
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child < 0) return work();  // no process can be started
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int status = work();
    std::fflush(nullptr);
    _exit(status);
  }
  int ended = 0;
  while (waitpid(child, &ended, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(ended)) return WEXITSTATUS(ended);
  fmt::print(stderr, "{}: the process that ran it died: {}\n", who, strsignal(WTERMSIG(ended)));
  return kNotVerified;
}

}  // namespace tieout
