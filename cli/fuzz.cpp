#include <fmt/core.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "cases/strings/printable.h"
#include "cli/campaign/campaign_run.h"
#include "cli/common/command.h"
#include "cli/common/commands.h"
#include "cli/common/errors.h"
#include "cli/options/diagnosis_option.h"
#include "cli/options/domain_option.h"
#include "cli/options/operator_option.h"
#include "cli/options/report_outputs.h"
#include "cli/options/seed.h"
#include "cli/options/subject_option.h"
#include "oracle/libtorch/libtorch.h"
#include "props/campaign/campaign.h"
#include "reports/records/run_record.h"

namespace tieout {
namespace {

struct FuzzArguments {
  std::int64_t cases = 10'000;
  std::string seed;  // empty: a seed is drawn
  std::string record;
  bool uniform = false;
  std::vector<std::string> operators;
  SubjectArguments subject;
  DomainArguments domain;
  std::optional<std::int64_t> products;
  int workers = static_cast<int>(std::thread::hardware_concurrency());
  std::int64_t memory = kWorkerMemory;
  double diagnosis = kSecondsOfDiagnosis;
  ReportOutputs outputs;
};

constexpr std::int64_t kMostCases = 1'000'000'000'000;

int bad_usage(std::string_view message) { return fail_command("fuzz", kBadUsage, message); }

// Returns the options of the run. kinds: has the subject and the kinds of cases.
CampaignOptions run_options(const FuzzArguments& arguments, std::uint64_t seed, const CampaignOptions& kinds,
                            const Domain& domain) {
  return {.cases = arguments.cases,
          .seed = seed,
          .sampling = arguments.uniform ? Sampling::uniform : Sampling::by_strategy,
          .convolutions = kinds.convolutions,
          .operators = kinds.operators,
          .domain = domain,
          .products = arguments.products,
          .workers = arguments.workers,
          .memory_per_case = arguments.memory << 20U,
          .command = fmt::format("tieout fuzz --cases {} --seed {}{}{}{}{}{}{}", arguments.cases, seed,
                                 words_of_operators(arguments.operators), arguments.uniform ? " --uniform" : "",
                                 arguments.products ? fmt::format(" --products {}", *arguments.products) : "",
                                 arguments.memory == kWorkerMemory ? "" : fmt::format(" --memory {}", arguments.memory),
                                 words_of(domain), words_of(arguments.subject)),
          .subject = kinds.subject,
          .rules = arguments.subject.rules()};
}

int run_fuzz(FuzzArguments& arguments) {
  const auto seed = arguments.seed.empty() ? draw_seed() : parse_seed(arguments.seed);
  if (!seed) return bad_usage("--seed: " + seed.error());
  CallFiles files;
  add_subject_files(files, arguments.subject);
  if (!arguments.record.empty()) files.add_output("--record", arguments.record);
  const auto baseline = prepare_reports(arguments.outputs, std::move(files));
  if (!baseline) return bad_usage(baseline.error());
  const auto compared = open_compared(arguments.subject, "fuzz", Waiting::asleep);
  if (!compared) return compared.error();
  const Reference& reference = compared->reference;
  Subject* const subject = compared->subject.get();
  CampaignOptions kinds{.subject = subject};
  if (const auto selected = select_operators(kinds, arguments.operators, reference, arguments.domain); !selected) {
    return bad_usage(selected.error());
  }
  const auto domain = kinds.convolutions ? choose_domain(arguments.domain, subject, arguments.subject.rules().seconds,
                                                         "fuzz", reference.other())
                                         : tl::expected<Domain, int>(Domain());
  if (!domain) return domain.error();
  const CampaignOptions options = run_options(arguments, *seed, kinds, *domain);
  RunSummary run = empty_run(options, reference);
  std::optional<RunRecord> record;
  if (!arguments.record.empty()) {
    auto created = RunRecord::create(arguments.record, run);
    if (!created) return bad_usage("--record: " + created.error());
    record = std::move(*created);
  }
  fmt::print(stderr, "to repeat these cases: {}\n", printable(options.command));
  DifferingCases differing = differing_cases(options);
  CampaignEnd end = watch_campaign(options, reference, {.so_far = std::move(run)},
                                   [&](const RecordBlock& block, const RunSummary& so_far) {
                                     add_differing(differing, block);
                                     return record ? record->append(block, so_far) : tl::expected<void, std::string>();
                                   });
  if (!end.error.empty()) (void)fail_command("fuzz", kNotVerified, end.error);
  diagnose_run(end.run, *compared, arguments.subject, *domain, differing, arguments.diagnosis);
  if (record && !end.run.cases_by_cause.empty()) {
    if (const auto noted = record->note_causes(end.run); !noted)
      (void)fail_command("fuzz", kNotVerified, noted.error());
  }
  Report report = make_report({end.run}, *baseline);
  report.allow_skipped = arguments.domain.allow_skipped;
  const auto written = write_reports(arguments.outputs, report);  // first, because printing to standard output may fail
  print_run(report);
  if (!written) (void)fail_command("fuzz", kNotVerified, written.error());
  return end_status(report, written.has_value());
}

}  // namespace

Command fuzz_command() {
  Command command{.name = "fuzz",
                  .description = "Verify random cases on every path, instruction set and engine of LibTorch"};
  const auto arguments = std::make_shared<FuzzArguments>();
  command.option("--cases", &arguments->cases, "Number of cases",
                 {.check = whole_number(1, kMostCases), .show_default = true});
  command.option("--seed", &arguments->seed, "Seed of the sequence of cases (default: drawn and printed)");
  command.option("--uniform", &arguments->uniform, "Uniform random data instead of targeted cases, for comparison");
  add_operator_option(command, arguments->operators);
  command.option("--workers", &arguments->workers, "Number of worker processes; the cases do not depend on it",
                 {.check = whole_number(1, 1024), .show_default = true});
  command.option("--record", &arguments->record, "Record of the run, a new file, for `tieout report`",
                 {.type = "FILE", .group = "Reports"});
  command.option("--products", &arguments->products, "Approximate maximum number of multiplications of a case",
                 {.check = whole_number(1, std::int64_t{1} << 32)});
  add_memory_option(command, arguments->memory);
  add_where_option(command, arguments->domain);
  add_allow_skipped_option(command, arguments->domain);
  add_subject_options(command, arguments->subject);
  add_diagnosis_option(command, arguments->diagnosis);
  add_report_options(command, arguments->outputs);
  command.run = [arguments] { return run_fuzz(*arguments); };
  return command;
}

}  // namespace tieout
