#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <iostream>
#include <string_view>

#include "cli/common/command_line.h"
#include "cli/common/commands.h"
#include "cli/options/libtorch_subject.h"
#include "cli/program.h"
#include "cli/serve_libtorch.h"

namespace {

// Flushes standard output and returns the exit status: kNotVerified instead of kEqual if the output could not be
// written, because its reader has not seen the verdict. On a full disk, the error may not occur before this flush.
int with_output_written(int status) {
  errno = 0;
  std::cout.flush();
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0 && std::cout.good()) return status;
  const char* const why = errno == 0 ? "" : std::strerror(errno);
  std::cerr << "tieout: standard output could not be written" << (errno == 0 ? "" : ": ") << why << '\n';
  return status == tieout::kEqual ? int{tieout::kNotVerified} : status;
}

}  // namespace

int main(int argc, char** argv) {
  // If a standard stream is closed, the next file that is opened would take its number and receive our output. Writing
  // to a closed standard output must fail, because its reader does not see the verdict.
  for (int standard = 0; standard < 3; ++standard) {
    const int access = standard == STDOUT_FILENO ? O_RDONLY : O_RDWR;
    if (fcntl(standard, F_GETFD) < 0 && open("/dev/null", access) != standard) return tieout::kNotVerified;
  }
  std::signal(SIGXFSZ, SIG_IGN);  // a limit on file sizes becomes a write error, as on a full disk
  try {
    if (argc == 2 && std::string_view(argv[1]) == tieout::kServeLibTorch) return tieout::serve_libtorch();
    return with_output_written(tieout::run_command_line(tieout::tieout_program(), argc, argv));
  } catch (const std::exception& error) {
    std::cerr << "tieout: " << error.what() << '\n';
    return tieout::kNotVerified;
  }
}
