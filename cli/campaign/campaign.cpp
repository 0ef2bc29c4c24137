#include "props/campaign/campaign.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "cli/campaign/campaign_folder.h"
#include "cli/campaign/campaign_run.h"
#include "cli/campaign/shard.h"
#include "cli/common/command.h"
#include "cli/common/commands.h"
#include "cli/common/duration.h"
#include "cli/common/errors.h"
#include "cli/options/diagnosis_option.h"
#include "cli/options/domain_option.h"
#include "cli/options/operator_option.h"
#include "cli/options/report_outputs.h"
#include "cli/options/seed.h"
#include "cli/options/subject_option.h"
#include "oracle/libtorch/libtorch.h"
#include "props/findings/finding_folders.h"
#include "reports/records/output_file.h"
#include "reports/records/run_record.h"
#include "reports/text/number_text.h"

namespace tieout {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kEndless = 1'000'000'000'000;  // number of cases if only time ends the run
constexpr double kLimit = 20;                         // default of --limit, seconds

struct Arguments {
  std::string folder;
  std::optional<std::int64_t> cases;
  std::string duration, seed, shard, corpus;
  bool resume = false, uniform = false;
  std::vector<std::string> operators;
  SubjectArguments subject;
  DomainArguments domain;
  std::optional<std::int64_t> products;
  int workers = static_cast<int>(std::thread::hardware_concurrency());
  double limit = kLimit;
  std::int64_t memory = kWorkerMemory;
  double diagnosis = kSecondsOfDiagnosis;
  ReportOutputs outputs;
};

// Everything that is decided before the first case.
struct Plan {
  CampaignOptions options;
  fs::path record, corpus;
  bool seed_given = false;
};

std::string record_name(const Shard& shard) {
  return shard.count == 1 ? "run" : fmt::format("shard-{:04}-of-{:04}", shard.index + 1, shard.count);
}

// Returns the command that repeats the campaign. It contains all options that decide what is counted, so that a record
// is only resumed with the same options. Options that have their default are left out.
std::string command_of(const Arguments& arguments, std::uint64_t seed, const Domain& domain) {
  std::string command = "tieout campaign";
  if (arguments.cases) command += fmt::format(" --cases {}", *arguments.cases);
  if (!arguments.duration.empty()) command += " --for " + arguments.duration;
  if (arguments.products) command += fmt::format(" --products {}", *arguments.products);
  command += fmt::format(" --seed {}{}", seed, arguments.uniform ? " --uniform" : "");
  if (arguments.limit != kLimit) command += fmt::format(" --limit {}", arguments.limit);
  if (arguments.memory != kWorkerMemory) command += fmt::format(" --memory {}", arguments.memory);
  return command + words_of_operators(arguments.operators) + words_of(domain) + words_of(arguments.subject);
}

tl::expected<Plan, std::string> make_plan(const Arguments& arguments) {
  Plan plan;
  CampaignOptions& options = plan.options;
  if (!arguments.cases && arguments.duration.empty()) {
    return tl::unexpected(std::string("say how long: --for 8h, or --cases N, or both"));
  }
  options.cases = arguments.cases.value_or(kEndless);
  if (!arguments.duration.empty()) {
    const auto seconds = parse_duration(arguments.duration);
    if (!seconds) return tl::unexpected("--for " + seconds.error());
    options.seconds = *seconds;
  }
  const auto shard = arguments.shard.empty() ? shard_of_environment([](const char* name) -> std::optional<std::string> {
    const char* const value = std::getenv(name);
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  })
                                             : parse_shard(arguments.shard);
  if (!shard) return tl::unexpected("--shard: " + shard.error());
  options.shard = *shard;
  plan.record = fs::path(arguments.folder) / (record_name(options.shard) + ".tieout");
  plan.corpus = arguments.corpus.empty() ? fs::path(arguments.folder) / "corpus" : fs::path(arguments.corpus);
  if (!arguments.corpus.empty() && !fs::exists(plan.corpus)) {
    return tl::unexpected("--corpus: " + arguments.corpus + " is not there: make the folder, or name another one");
  }
  plan.seed_given = !arguments.seed.empty();
  if (!plan.seed_given && options.shard.count > 1 && !(arguments.resume && fs::exists(plan.record))) {
    return tl::unexpected(std::string("--seed: shards of one campaign need the same seed: name one"));
  }
  const auto seed = plan.seed_given ? parse_seed(arguments.seed) : draw_seed();
  if (!seed) return tl::unexpected("--seed: " + seed.error());
  options.seed = *seed;
  options.products = arguments.products;
  options.sampling = arguments.uniform ? Sampling::uniform : Sampling::by_strategy;
  options.workers = arguments.workers;
  options.seconds_per_case = arguments.limit;
  options.memory_per_case = arguments.memory << 20;
  options.journal_folder = fs::path(arguments.folder) / ("in-flight-" + record_name(options.shard));
  return plan;
}

// The record to write to, and the state that it has reached.
struct Start {
  RunRecord record;
  CampaignStart campaign;
  bool corpus_done = false;
  std::vector<RecordBlock> blocks_before = {};  // of the record; without counts
};

tl::expected<Start, std::string> resume(const Arguments& arguments, Plan& plan, const Reference& reference) {
  auto record = RunRecord::open(plan.record);
  if (!record) return tl::unexpected(record.error());
  auto run = record->summary();
  if (!run) return tl::unexpected(run.error());
  const auto blocks = record->blocks();
  if (!blocks) return tl::unexpected(blocks.error());
  if (!plan.seed_given) plan.options.seed = run->seed;
  plan.options.command = command_of(arguments, plan.options.seed, plan.options.domain);
  const RunSummary same = empty_run(plan.options, reference);
  const auto refuse = [&](const std::string& was, const std::string& is, const char* todo) {
    return tl::unexpected(fmt::format("{} holds another campaign:\n  was: {}\n  is:  {}\n{}, or name another folder",
                                      plan.record.string(), was, is, todo));
  };
  if (run->command != same.command) return refuse(run->command, same.command, "resume it with the same options");
  if (run->subject_digest != same.subject_digest) {
    return refuse(fmt::format("{}, digest {}", run->subject, run->subject_digest),
                  fmt::format("{}, digest {}", same.subject, same.subject_digest),
                  "the subject is not the same any more: resume with the one that it was begun with");
  }
  // LibTorch's answers depend on the instruction set.
  if (run->reference != same.reference) {
    return refuse(run->reference, same.reference,
                  reference.libtorch() != nullptr
                      ? "resume it where it was begun, or on a machine of that kind"
                      : "the reference is not the same any more: resume with the one that it was begun with");
  }
  run->workers = plan.options.workers;
  Start start{.record = std::move(*record), .campaign = {.so_far = std::move(*run)}, .corpus_done = !blocks->empty()};
  start.blocks_before = *blocks;
  start.campaign.blocks_done =
      std::ranges::count_if(*blocks, [](const RecordBlock& one) { return one.number != kCorpusBlock; });
  return start;
}

tl::expected<Start, std::string> begin(const Arguments& arguments, Plan& plan, const Reference& reference) {
  if (fs::exists(plan.record)) {
    if (arguments.resume) return resume(arguments, plan, reference);
    return tl::unexpected(plan.record.string() + " is there already: --resume goes on with it; or name another folder");
  }
  RunSummary run = empty_run(plan.options, reference);
  run.started =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  auto record = RunRecord::create(plan.record, run);
  if (!record) return tl::unexpected(record.error());
  return Start{.record = std::move(*record), .campaign = {.so_far = std::move(run)}};
}

// Writes the findings of a block to the corpus and then the block to the record: a block in the record is never drawn
// again, so that findings that were not written before it would be lost.
tl::expected<void, std::string> keep(const Plan& plan, RunRecord& record, const RecordBlock& block,
                                     const RunSummary& so_far) {
  if (block.number == kCorpusBlock) {
    if (!block.verdicts.empty()) {
      write_log(fmt::format("corpus: {} replayed, {} still differ\n", counted(std::ssize(block.verdicts), "case"),
                            block.counts.findings.size()));
    }
    return record.append(block, so_far);
  }
  for (const Finding& finding : block.counts.findings) {
    if (const auto added = add_finding(plan.corpus, finding); !added) return added;
  }
  return record.append(block, so_far);
}

int fail(int status, std::string_view message) { return fail_command("campaign", status, message); }

// Returns true if the shard has no cases, because there are fewer blocks than shards.
bool is_empty(const CampaignOptions& options) { return options.shard.index * kBlock >= options.cases; }

// Ends a shard without cases successfully, because the other shards have all cases. Its record is complete, so that the
// shards can be merged.
int end_empty_shard(const CampaignOptions& options, RunRecord& record, RunSummary& run) {
  run.finished = true;
  if (const auto noted = record.update(run); !noted) return fail(kNotVerified, noted.error());
  write_log(fmt::format("shard {} of {} is empty: {} in {} of {}, all of them other shards'\n", options.shard.index + 1,
                        options.shard.count, counted(options.cases, "case"),
                        counted((options.cases + kBlock - 1) / kBlock, "block"), kBlock));
  return kEqual;
}

// Returns the domain of the campaign. reference: nullptr if it is LibTorch. A resumed campaign without --where keeps
// the domain of its record. Error: the exit status, after the reason has been printed.
tl::expected<Domain, int> domain_of(const Arguments& arguments, const Plan& plan, Subject* reference) {
  DomainArguments domain = arguments.domain;
  if (arguments.resume && domain.where.empty() && fs::exists(plan.record)) {
    const auto record = RunRecord::open(plan.record, RunRecord::For::reading);
    const auto run = record ? record->summary() : tl::unexpected(record.error());
    if (run) domain.where = run->domain.empty() ? "all" : run->domain;
  }
  return choose_domain(domain, plan.options.subject, arguments.subject.rules().seconds, "campaign", reference);
}

// What the campaign needs from the first case on.
struct Prepared {
  Plan plan;
  Compared compared;
  std::vector<KnownFinding> baseline;
};

// Opens subject, reference and domain first, so that nothing is written if one of them is unusable; then the folder and
// the files. Sets the files of the reports that are always written. Error: the exit status, after the reason has been
// printed.
tl::expected<Prepared, int> prepare(Arguments& arguments) {
  auto plan = make_plan(arguments);
  if (!plan) return tl::unexpected(fail(kBadUsage, plan.error()));
  auto compared = open_compared(arguments.subject, "campaign", Waiting::asleep);
  if (!compared) return tl::unexpected(compared.error());
  plan->options.subject = compared->subject.get();
  plan->options.rules = arguments.subject.rules();
  if (const auto selected = select_operators(plan->options, arguments.operators, compared->reference, arguments.domain);
      !selected) {
    return tl::unexpected(fail(kBadUsage, selected.error()));
  }
  const auto domain = plan->options.convolutions ? domain_of(arguments, *plan, compared->reference.other())
                                                 : tl::expected<Domain, int>(Domain());
  if (!domain) return tl::unexpected(domain.error());
  plan->options.domain = *domain;
  plan->options.command = command_of(arguments, plan->options.seed, *domain);
  const std::string name = record_name(plan->options.shard);
  ReportOutputs& outputs = arguments.outputs;
  if (outputs.html.empty()) outputs.html = fs::path(arguments.folder) / (name + ".html");
  if (outputs.markdown.empty()) outputs.markdown = fs::path(arguments.folder) / (name + ".md");
  if (const auto ready = prepare_folder(arguments.folder, plan->record, plan->corpus); !ready)
    return tl::unexpected(fail(kBadUsage, ready.error()));
  CallFiles files;
  add_subject_files(files, arguments.subject);
  files.add_output("the record", plan->record);
  files.add_output("the lock", fs::path(plan->record).replace_extension(".lock"));
  auto baseline = prepare_reports(outputs, std::move(files));
  if (!baseline) return tl::unexpected(fail(kBadUsage, baseline.error()));
  return Prepared{std::move(*plan), std::move(*compared), std::move(*baseline)};
}

// Runs the campaign to its end and completes the record. An error has been printed, and is in the result.
CampaignEnd run_to_end(const Prepared& prepared, Start& start, DifferingCases& differing) {
  const Plan& plan = prepared.plan;
  RunRecord& record = start.record;
  CampaignEnd end = watch_campaign(plan.options, prepared.compared.reference, std::move(start.campaign),
                                   [&](const RecordBlock& block, const RunSummary& so_far) {
                                     add_differing(differing, block);
                                     return keep(plan, record, block, so_far);
                                   });
  std::error_code ignored;
  fs::remove_all(plan.options.journal_folder, ignored);  // the campaign was not killed, so that no case is unfinished
  if (end.error.empty()) {
    if (const auto updated = record.update(end.run); !updated) end.error = updated.error();
  }
  if (!end.error.empty()) {
    (void)fail(kNotVerified, end.error + "\nthen go on with --resume");
    if (auto held = record.summary()) end.run = std::move(*held);  // a block that was not written is not reported
  }
  return end;
}

// Writes and prints the reports, and returns the exit status.
int report_end(const Arguments& arguments, const Prepared& prepared, CampaignEnd end) {
  Report report = make_report({std::move(end.run)}, prepared.baseline);
  report.allow_skipped = arguments.domain.allow_skipped;
  const auto written = write_reports(arguments.outputs, report);
  if (!written) (void)fail(kNotVerified, written.error());
  try {
    print_run(report);
  } catch (const std::system_error&) {
    write_log("standard output cannot be written\n");  // the reports are written
  }
  write_log(fmt::format("record: {}, report: {}\n", prepared.plan.record.string(), arguments.outputs.html));
  return end_status(report, end.error.empty() && written.has_value());
}

int run_campaign_command(Arguments arguments) {
  // The campaign continues if its output is no longer read; see write_log().
  std::signal(SIGPIPE, SIG_IGN);
  auto prepared = prepare(arguments);
  if (!prepared) return prepared.error();
  Plan& plan = prepared->plan;
  const CampaignOptions& options = plan.options;
  auto start = begin(arguments, plan, prepared->compared.reference);
  if (!start) return fail(kBadUsage, start.error());
  if (is_empty(options)) return end_empty_shard(options, start->record, start->campaign.so_far);
  write_log(fmt::format("campaign with seed {}: shard {} of {}, {} done before\n", options.seed,
                        options.shard.index + 1, options.shard.count,
                        counted(start->campaign.so_far.cases.all(), "case")));
  report_unfinished_cases(options.journal_folder);
  remove_abandoned_drafts(plan.corpus);
  if (!start->corpus_done && options.shard.index == 0) {
    auto corpus = read_corpus(plan.corpus);
    if (!corpus) return fail(kNotVerified, corpus.error());
    start->campaign.corpus = std::move(*corpus);
  }
  DifferingCases differing = differing_cases(options);
  for (const RecordBlock& block : start->blocks_before) add_differing(differing, block);
  CampaignEnd end = run_to_end(*prepared, *start, differing);
  if (end.error.empty()) {
    diagnose_run(end.run, prepared->compared, arguments.subject, options.domain, differing, arguments.diagnosis);
    if (!end.run.cases_by_cause.empty()) {
      if (const auto noted = start->record.note_causes(end.run); !noted) {
        end.error = noted.error();
        (void)fail(kNotVerified, end.error);
      }
    }
  }
  return report_end(arguments, *prepared, std::move(end));
}

}  // namespace

Command campaign_command() {
  Command command{.name = "campaign", .description = "Verify random cases for hours: recorded, resumable, in shards"};
  const auto arguments = std::make_shared<Arguments>();
  command.option("--dir", &arguments->folder, "Folder for the record, the corpus of findings and the reports",
                 {.type = "DIR", .required = true});
  command.option("--for", &arguments->duration, "Duration of the campaign: 90s, 45m, 8h, 1h30m", {.type = "TIME"});
  command.option("--cases", &arguments->cases, "Number of cases of all shards together",
                 {.check = whole_number(1, kEndless)});
  command.option("--seed", &arguments->seed, "Seed of the sequence of cases (default: drawn and printed)");
  add_operator_option(command, arguments->operators);
  command.option("--resume", &arguments->resume,
                 "Resume the campaign in the folder, or begin one if the folder is empty");
  command.option("--shard", &arguments->shard,
                 "Part of the sequence (default: from the variables of Slurm, Kubernetes or GoogleTest)",
                 {.type = "I/N"});
  command.option("--workers", &arguments->workers, "Number of worker processes; the cases do not depend on it",
                 {.check = whole_number(1, 1024), .show_default = true});
  command.option("--limit", &arguments->limit, "Timeout of a case, seconds",
                 {.check = seconds_check(), .show_default = true});
  add_memory_option(command, arguments->memory);
  command.option("--corpus", &arguments->corpus,
                 "Folder of findings, replayed first and extended (default: corpus in --dir)", {.type = "DIR"});
  command.option("--uniform", &arguments->uniform, "Uniform random data instead of targeted cases, for comparison");
  command.option("--products", &arguments->products, "Approximate maximum number of multiplications of a case",
                 {.check = whole_number(1, std::int64_t{1} << 32)});
  add_where_option(command, arguments->domain);
  add_allow_skipped_option(command, arguments->domain);
  add_subject_options(command, arguments->subject);
  add_diagnosis_option(command, arguments->diagnosis);
  add_report_options(command, arguments->outputs);
  command.at("--baseline").form.environment = "TIEOUT_BASELINE";  // set by job files
  command.run = [arguments] { return run_campaign_command(*arguments); };
  return command;
}

}  // namespace tieout
