#pragma once
// Declares the subcommands of `tieout`. Each function returns the description of a command with its options. A new
// command needs a line here, a line in program.cpp and a file of its own.

namespace tieout {

struct Command;

// The exit status of every subcommand.
enum ExitStatus : int {
  kEqual = 0,        // verified, and equal
  kDifferent = 1,    // verified, and differences were found
  kBadUsage = 2,     // bad arguments or input
  kNotVerified = 3,  // nothing could be verified
};

[[nodiscard]] Command bench_command();
[[nodiscard]] Command campaign_command();
[[nodiscard]] Command check_command();
[[nodiscard]] Command completion_command();
[[nodiscard]] Command diagnose_command();
[[nodiscard]] Command engines_command();
[[nodiscard]] Command experiment_command();
[[nodiscard]] Command explain_command();
[[nodiscard]] Command fuzz_command();
[[nodiscard]] Command help_command();
[[nodiscard]] Command identify_command();
[[nodiscard]] Command merge_command();
[[nodiscard]] Command model_command();
[[nodiscard]] Command report_command();
[[nodiscard]] Command requantize_command();
[[nodiscard]] Command selftest_command();

}  // namespace tieout
