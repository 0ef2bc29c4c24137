#pragma once
// Declares the subcommands of `tieout`. Each function registers a command with its options and a callback that sets the
// exit status. A new command needs a line here, a line in main.cpp and a file of its own.

#include <CLI/CLI.hpp>

namespace tieout {

// The exit status of every subcommand.
enum ExitStatus : int {
  kEqual = 0,        // verified, and equal
  kDifferent = 1,    // verified, and differences were found
  kBadUsage = 2,     // bad arguments or input
  kNotVerified = 3,  // nothing could be verified
};

void add_bench(CLI::App& app, int& exit_status);
void add_campaign(CLI::App& app, int& exit_status);
void add_check(CLI::App& app, int& exit_status);
void add_diagnose(CLI::App& app, int& exit_status);
void add_engines(CLI::App& app, int& exit_status);
void add_experiment(CLI::App& app, int& exit_status);
void add_explain(CLI::App& app, int& exit_status);
void add_fuzz(CLI::App& app, int& exit_status);
void add_identify(CLI::App& app, int& exit_status);
void add_merge(CLI::App& app, int& exit_status);
void add_model(CLI::App& app, int& exit_status);
void add_report(CLI::App& app, int& exit_status);
void add_selftest(CLI::App& app, int& exit_status);

}  // namespace tieout
