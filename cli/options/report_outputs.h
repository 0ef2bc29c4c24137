#pragma once
// Provides the report options of all subcommands that verify, and writes the reports.

#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "cli/common/call_files.h"
#include "reports/data/report.h"

namespace tieout {

struct Command;

struct ReportOutputs {
  std::string html, markdown, text, json, junit, sarif;  // files; "-": standard output; empty: none
  std::string baseline;                                  // file of known findings; empty: none
  bool github = false;                                   // annotations on standard output
};

void add_report_options(Command& command, ReportOutputs& outputs);

// Must be called before the work. Reads the baseline and returns it, checks that every file can be written and is no
// other file of the call, and reserves standard output if a report goes there; names such as /dev/stdout become "-".
// files: the other files that the call reads and writes. The error names the option.
[[nodiscard]] tl::expected<std::vector<KnownFinding>, std::string> prepare_reports(ReportOutputs& outputs,
                                                                                   CallFiles files = {});

// Returns true if any of the options was given.
[[nodiscard]] bool has_outputs(const ReportOutputs& outputs);

// Writes the reports, after the work. A report that cannot be written does not affect the others. The error has a line
// with the option for each that failed.
[[nodiscard]] tl::expected<void, std::string> write_reports(const ReportOutputs& outputs, const Report& report);

}  // namespace tieout
