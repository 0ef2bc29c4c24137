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

}  // namespace

int main(int argc, char** argv) {
  // If a standard stream is closed, the next file that is opened would take its number and receive our output.
  for (int standard = 0; standard < 3; ++standard) {
    if (fcntl(standard, F_GETFD) < 0 && open("/dev/null", O_RDWR) != standard) return tieout::kNotVerified;
  }
  std::signal(SIGXFSZ, SIG_IGN);  // a limit on file sizes becomes a write error, as on a full disk
  CLI::App app{"Tieout: which arithmetic does an int8 convolution follow, and where do two of them differ?", "tieout"};
  app.formatter(tieout::help_formatter());
  app.require_subcommand(1);
  app.set_version_flag("--version", "tieout " TIEOUT_VERSION, "Print the version");
  app.footer("Exit status: 0 verified and equal, 1 differences, 2 bad usage or input, 3 could not verify.");
  int exit_status = tieout::kEqual;
  tieout::add_experiment(app, exit_status);
  tieout::add_fuzz(app, exit_status);
  tieout::add_campaign(app, exit_status);
  tieout::add_check(app, exit_status);
  tieout::add_explain(app, exit_status);
  tieout::add_engines(app, exit_status);
  tieout::add_diagnose(app, exit_status);
  tieout::add_identify(app, exit_status);
  tieout::add_model(app, exit_status);
  tieout::add_report(app, exit_status);
  tieout::add_merge(app, exit_status);
  tieout::add_selftest(app, exit_status);
  tieout::add_bench(app, exit_status);
  tieout::refuse_empty_values(app);
  try {
    const int parsed = tieout::parse_command_line(app, argc, argv);
    if (parsed != tieout::kEqual) return with_output_written(parsed);
  } catch (const std::exception& error) {
    std::cerr << "tieout: " << error.what() << '\n';
    return tieout::kNotVerified;
  }
  return with_output_written(exit_status);
}
