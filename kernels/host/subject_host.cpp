// The program tieout-subject-host, which tieout starts for every subject that runs in a process of its own:
//   tieout-subject-host library FILE      hosts a shared library
//   tieout-subject-host command LINE      runs a command line in the shell
// It is a program of its own and not a fork of tieout, so that its memory contains nothing of tieout's: a subject
// cannot read the expected values.

#include <unistd.h>

#include <cstdio>
#include <string>
#include <string_view>

#include "kernels/host/library_server.h"
#include "kernels/host/supervisor.h"

namespace {

int run_command(const char* line) {
  execl("/bin/sh", "sh", "-c", line, nullptr);
  std::perror("/bin/sh");
  return 127;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view kind = argc == 3 ? argv[1] : "";
  if (kind == "library") return tieout::supervise([&] { return tieout::serve_library(argv[2]); });
  if (kind == "command") return tieout::supervise([&] { return run_command(argv[2]); });
  std::fputs("tieout-subject-host is a part of tieout, which starts it: see tieout fuzz --subject\n", stderr);
  return 2;
}
