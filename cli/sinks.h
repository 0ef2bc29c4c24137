#pragma once
// Where a run's report goes: the options that every subcommand has that verifies.

#include <CLI/CLI.hpp>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "cli/call_files.h"
#include "reports/report.h"

namespace tieout {

struct Sinks {
  std::string html, markdown, text, json, junit;  // files; "-": standard output; empty: none
  std::string baseline;                           // file of known findings
  bool github = false;                            // annotations on standard output
};

void add_sinks(CLI::App& command, Sinks& sinks);

// Before the work: reads the baseline, makes sure that every file can be written and is no other file of the call, and
// reserves standard output where a report goes there. files: what else the call reads and writes. The error names the
// option.
[[nodiscard]] tl::expected<std::vector<KnownFinding>, std::string> prepare(Sinks& sinks, CallFiles files = {});

// Whether any was asked for.
[[nodiscard]] bool is_set(const Sinks& sinks);

// After it. Every output is independent of the others: one that fails, for whatever reason, leaves the others complete.
// The error has a line for each that failed, with its option.
[[nodiscard]] tl::expected<void, std::string> write(const Sinks& sinks, const Report& report);

}  // namespace tieout
