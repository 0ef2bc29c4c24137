#include <fcntl.h>

#include <exception>
#include <iostream>

#include "cli/commands.h"

int main(int argc, char** argv) {
  // Who closes one of these would have the next file that is opened take its number, and our words.
  for (int standard = 0; standard < 3; ++standard) {
    if (fcntl(standard, F_GETFD) < 0 && open("/dev/null", O_RDWR) != standard) return tieout::kNotVerified;
  }
  CLI::App app{"Tieout: which arithmetic does an int8 convolution follow, and where do two of them differ?", "tieout"};
  app.require_subcommand(1);
  app.footer("Exit status: 0 verified and equal, 1 differences, 2 bad usage or input, 3 could not verify.");
  int exit_status = tieout::kEqual;
  tieout::add_experiment(app, exit_status);
  tieout::add_fuzz(app, exit_status);
  tieout::add_campaign(app, exit_status);
  tieout::add_check(app, exit_status);
  tieout::add_explain(app, exit_status);
  tieout::add_engines(app, exit_status);
  tieout::add_identify(app, exit_status);
  tieout::add_model(app, exit_status);
  tieout::add_report(app, exit_status);
  tieout::add_merge(app, exit_status);
  tieout::add_selftest(app, exit_status);
  tieout::add_bench(app, exit_status);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? tieout::kEqual : tieout::kBadUsage;
  } catch (const std::exception& error) {
    std::cerr << "tieout: " << error.what() << '\n';
    return tieout::kNotVerified;
  }
  return exit_status;
}
