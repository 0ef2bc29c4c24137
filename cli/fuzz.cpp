#include "props/fuzz.h"

#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <random>
#include <string>

#include "cli/commands.h"
#include "cli/output_file.h"
#include "cli/progress.h"
#include "oracle/libtorch.h"
#include "props/case_class.h"
#include "reports/finding_text.h"
#include "reports/markdown.h"

namespace tieout {
namespace {

struct Arguments {
  std::int64_t cases = 10'000;
  std::optional<std::uint64_t> seed;
  std::string report;
  bool uniform = false;
};

volatile std::sig_atomic_t interrupted = 0;  // a signal handler can reach nothing else

std::uint64_t draw_seed() {
  std::random_device device;
  return device();
}

int write_reports(const std::string& folder, const RunSummary& run) {
  std::string findings;
  for (const Finding& finding : run.findings) findings += finding_text(finding) + '\n';
  for (const auto& [name, text] : {std::pair{"report.md", markdown(run)}, std::pair{"findings.txt", findings}}) {
    if (const auto written = write_file(std::filesystem::path(folder) / name, text); !written) {
      fmt::print(stderr, "tieout fuzz: {}\n", written.error());
      return kNotVerified;
    }
  }
  return kEqual;
}

// What the cases reached, and what they did not: a hole is not a pass.
void print_classes(const RunSummary& run) {
  std::string reached;
  std::string missed;
  for (std::size_t i = 0; i < kCaseClasses; ++i) {
    const std::string what(name(static_cast<CaseClass>(i)));
    const auto found = run.cases_by_class.find(what);
    if (found == run.cases_by_class.end()) {
      missed += ' ' + what;
    } else {
      reached += fmt::format("{}{} {}", reached.empty() ? "" : ", ", what, found->second);
    }
  }
  fmt::print("  classes, by cases: {}\n", reached);
  if (!missed.empty()) fmt::print("  classes not reached:{}\n", missed);
}

int run_fuzz(const Arguments& arguments) {
  if (!arguments.report.empty()) {  // before the work, not after it
    std::error_code error;
    std::filesystem::create_directories(arguments.report, error);
    if (error) {
      fmt::print(stderr, "tieout fuzz: --report {}: {}; name a folder that can be made\n", arguments.report,
                 error.message());
      return kBadUsage;
    }
  }
  const auto reference = libtorch();
  if (!reference) {
    fmt::print(stderr, "tieout fuzz: LibTorch cannot be loaded: {}\n", reference.error().message);
    return kNotVerified;
  }
  const std::uint64_t seed = arguments.seed.value_or(draw_seed());
  fmt::print(stderr, "seed {}\n", seed);
  std::signal(SIGINT, [](int) { interrupted = 1; });
  Progress progress(arguments.cases);
  const FuzzOptions options{.cases = arguments.cases,
                            .seed = seed,
                            .policy = arguments.uniform ? Policy::uniform : Policy::hunting};
  const RunSummary run = fuzz(options, **reference, [&](const RunSummary& so_far) {
    progress.show(so_far.cases.all(), so_far.cases.differed + so_far.cases.crashed);
    return interrupted == 0;
  });
  progress.finish();
  std::signal(SIGINT, SIG_DFL);

  for (const Finding& finding : run.findings) fmt::print("{}\n", finding_text(finding));
  fmt::print("{}{}\n", interrupted != 0 ? "interrupted: " : "", verdict(run));
  for (const auto& field : {&Cell::path, &Cell::engine, &Cell::isa}) {
    for (const auto& [what, counts] : counts_by(run, field)) {
      fmt::print("  {:<16} {:>9} cases {:>12} elements\n", what, counts.cases, counts.elements);
    }
  }
  print_classes(run);
  for (const auto& [reason, count] : run.reasons) fmt::print("  not verified: {:>7} {}\n", count, reason);
  fmt::print("{:.1f} s, {:.0f} cases/s, {:.0f} % of the time inside LibTorch\n", run.seconds,
             static_cast<double>(run.cases.all()) / run.seconds, 100 * run.seconds_in_engine / run.seconds);
  if (!arguments.report.empty()) {
    if (const int status = write_reports(arguments.report, run); status != kEqual) return status;
  }
  return exit_status(run);
}

}  // namespace

void add_fuzz(CLI::App& app, int& exit_status) {
  auto* const command =
      app.add_subcommand("fuzz", "Verify random cases on every path, instruction set and engine of LibTorch");
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("--cases", arguments->cases, "How many")->check(CLI::PositiveNumber)->capture_default_str();
  command->add_option("--seed", arguments->seed, "Of the sequence of cases; drawn and printed if absent");
  command->add_flag("--uniform", arguments->uniform, "Ordinary random data instead of cases that hunt, for comparison");
  command->add_option("--report", arguments->report, "Folder for report.md and findings.txt");
  command->callback([arguments, &exit_status] { exit_status = run_fuzz(*arguments); });
}

}  // namespace tieout
