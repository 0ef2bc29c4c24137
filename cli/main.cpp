#include <fcntl.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <iostream>

#include "cli/common/command_line.h"
#include "cli/common/commands.h"

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

tieout::Program program() {
  return {.name = "tieout",
          .description = "Tieout: which arithmetic does an int8 convolution follow, and where do two of them differ?",
          .version = "tieout " TIEOUT_VERSION,
          .footer = "Exit status: 0 verified and equal, 1 differences, 2 bad usage or input, 3 could not verify.",
          .commands = {tieout::experiment_command(), tieout::fuzz_command(), tieout::campaign_command(),
                       tieout::check_command(), tieout::explain_command(), tieout::engines_command(),
                       tieout::diagnose_command(), tieout::identify_command(), tieout::model_command(),
                       tieout::report_command(), tieout::merge_command(), tieout::selftest_command(),
                       tieout::bench_command()}};
}

}  // namespace

int main(int argc, char** argv) {
  // If a standard stream is closed, the next file that is opened would take its number and receive our output.
  for (int standard = 0; standard < 3; ++standard) {
    if (fcntl(standard, F_GETFD) < 0 && open("/dev/null", O_RDWR) != standard) return tieout::kNotVerified;
  }
  std::signal(SIGXFSZ, SIG_IGN);  // a limit on file sizes becomes a write error, as on a full disk
  try {
    return with_output_written(tieout::run_command_line(program(), argc, argv));
  } catch (const std::exception& error) {
    std::cerr << "tieout: " << error.what() << '\n';
    return tieout::kNotVerified;
  }
}
