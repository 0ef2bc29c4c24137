#include "cli/options/report_outputs.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <fstream>
#include <functional>
#include <iterator>

#include "cli/common/command.h"
#include "cli/common/standard_output.h"
#include "reports/data/baseline.h"
#include "reports/formats/finding_text.h"
#include "reports/formats/github_annotations.h"
#include "reports/formats/html/html.h"
#include "reports/formats/json.h"
#include "reports/formats/junit.h"
#include "reports/formats/markdown.h"
#include "reports/formats/sarif.h"
#include "reports/records/output_file.h"

namespace tieout {
namespace {

struct Format {
  const char* option;
  const char* what;
  std::string ReportOutputs::* file;
  std::string (*text)(const Report&);
};

constexpr std::array kFormats{
    Format{"--html", "Report to look at, one file", &ReportOutputs::html,
           [](const Report& report) { return html(report); }},
    Format{"--markdown", "Report for a job summary or an issue", &ReportOutputs::markdown,
           [](const Report& report) { return markdown(report); }},
    Format{"--text", "Every finding as the experiment prints a difference", &ReportOutputs::text,
           [](const Report& report) { return findings_text(report); }},
    Format{"--json", "Report for programs (reports/formats/report.schema.json)", &ReportOutputs::json,
           [](const Report& report) { return json(report); }},
    Format{"--junit", "Report that CI systems show as tests", &ReportOutputs::junit,
           [](const Report& report) { return junit(report); }},
    Format{"--sarif", "Report for code scanning, SARIF 2.1.0", &ReportOutputs::sarif,
           [](const Report& report) { return sarif(report); }},
};

bool is_standard_output(const std::string& file) {
  return !file.empty() && (file == "-" || file_identity(file) == file_identity("-"));
}

// Does the work for one option and adds its error to `errors`. An exception, such as std::bad_alloc, ends this output
// only; the others are still written.
void note_failure(std::string& errors, const char* option,
                  const std::function<tl::expected<void, std::string>()>& work) {
  tl::expected<void, std::string> done;
  try {
    done = work();
  } catch (const std::exception& error) {
    done = tl::unexpected(std::string("cannot be written: ") + error.what());
  }
  if (!done) errors += (errors.empty() ? "" : "\n") + std::string(option) + ": " + done.error();
}

}  // namespace

void add_report_options(Command& command, ReportOutputs& outputs) {
  for (const Format& format : kFormats) {
    command.option(format.option, &(outputs.*format.file), std::string(format.what) + "; -: standard output",
                   {.type = "FILE", .group = "Reports"});
  }
  command.option("--baseline", &outputs.baseline, "File of known findings, which do not count as new (docs/reports.md)",
                 {.type = "FILE", .group = "Reports"});
  command.option("--github", &outputs.github, "Annotations for GitHub Actions on standard output",
                 {.group = "Reports"});
}

tl::expected<std::vector<KnownFinding>, std::string> prepare_reports(ReportOutputs& outputs, CallFiles files) {
  bool reserve = false;
  if (!outputs.baseline.empty()) files.add_input("--baseline", outputs.baseline);
  for (const Format& format : kFormats) {
    std::string& file = outputs.*format.file;
    if (file.empty()) continue;
    files.add_output(format.option, file);
    if (!is_standard_output(file)) continue;
    file = "-";
    reserve = true;
  }
  if (const auto checked = files.check(); !checked) return tl::unexpected(checked.error());
  if (reserve) {
    if (const auto reserved = reserve_standard_output(); !reserved) return tl::unexpected(reserved.error());
  }
  if (outputs.baseline.empty()) return {};
  auto baseline = read_baseline(outputs.baseline);
  if (!baseline) return tl::unexpected("--baseline: " + baseline.error());
  return baseline;
}

bool has_outputs(const ReportOutputs& outputs) {
  return outputs.github || !outputs.baseline.empty() ||
         std::ranges::any_of(kFormats, [&](const Format& format) { return !(outputs.*format.file).empty(); });
}

tl::expected<void, std::string> write_reports(const ReportOutputs& outputs, const Report& report) {
  std::string errors;
  for (const Format& format : kFormats) {
    const std::string& file = outputs.*format.file;
    if (file.empty()) continue;
    note_failure(errors, format.option,
                 [&]() -> tl::expected<void, std::string> { return write_output(file, format.text(report)); });
  }
  if (outputs.github) {
    note_failure(errors, "--github", [&]() -> tl::expected<void, std::string> {
      // They go to standard error if standard output is reserved; GitHub reads both streams.
      fmt::print("{}", github_annotations(report));
      return {};
    });
  }
  if (!errors.empty()) return tl::unexpected(errors);
  return {};
}

}  // namespace tieout
