#include "reports/data/report.h"

#include <fmt/core.h>

#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cli/campaign/campaign_run.h"
#include "cli/common/command.h"
#include "cli/common/commands.h"
#include "cli/common/errors.h"
#include "cli/options/domain_option.h"
#include "cli/options/report_outputs.h"
#include "reports/records/record_files.h"
#include "reports/text/number_text.h"

namespace tieout {
namespace {

using Paths = std::vector<std::filesystem::path>;

tl::expected<Paths, std::string> all_files(const std::vector<std::string>& names) {
  Paths files;
  for (const std::string& name : names) {
    const auto of_name = record_files(name);
    if (!of_name) return tl::unexpected(of_name.error());
    files.insert(files.end(), of_name->begin(), of_name->end());
  }
  return files;
}

int report_runs(const std::vector<std::string>& names, ReportOutputs& outputs, bool allow_skipped) {
  const auto files = all_files(names);
  if (!files) return fail_command("report", kBadUsage, files.error());
  CallFiles call;
  for (const std::filesystem::path& file : *files) call.add_input("run", file);
  const auto baseline = prepare_reports(outputs, std::move(call));
  if (!baseline) return fail_command("report", kBadUsage, baseline.error());
  const auto runs = read_records(*files);
  if (!runs) return fail_command("report", kBadUsage, runs.error());
  Report report = make_report(*runs, *baseline);
  report.allow_skipped = allow_skipped;
  const auto written = write_reports(outputs, report);  // first, because printing to standard output may fail
  print_run(report);
  if (!written) (void)fail_command("report", kNotVerified, written.error());
  return end_status(report, written.has_value());
}

int merge_runs(const std::string& merged, const std::vector<std::string>& names) {
  const auto files = all_files(names);
  if (!files) return fail_command("merge", kBadUsage, files.error());
  if (const auto done = merge_records(merged, *files); !done) return fail_command("merge", kBadUsage, done.error());
  fmt::print("{}: {} merged\n", merged, counted(std::ssize(*files), "record"));
  return kEqual;
}

}  // namespace

Command report_command() {
  Command command{.name = "report", .description = "Report recorded runs, one or many, in any format"};
  const auto names = std::make_shared<std::vector<std::string>>();
  const auto outputs = std::make_shared<ReportOutputs>();
  const auto domain = std::make_shared<DomainArguments>();
  command.option("run", names.get(), "Records, or folders of campaigns; shards of one run count as one",
                 {.required = true, .is_path = true});
  add_allow_skipped_option(command, *domain);
  add_report_options(command, *outputs);
  command.at("--baseline").form.environment = "TIEOUT_BASELINE";  // set by job files
  command.run = [=] { return report_runs(*names, *outputs, domain->allow_skipped); };
  return command;
}

Command merge_command() {
  Command command{.name = "merge", .description = "Merge the records of a campaign's shards into one"};
  const auto merged = std::make_shared<std::string>();
  const auto names = std::make_shared<std::vector<std::string>>();
  command.option("merged", merged.get(), "Record to write, a new file", {.required = true, .is_path = true});
  command.option("run", names.get(), "Records, or folders of campaigns", {.required = true, .is_path = true});
  command.run = [=] { return merge_runs(*merged, *names); };
  return command;
}

}  // namespace tieout
