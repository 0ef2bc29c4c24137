#include "props/fuzz.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/output_file.h"
#include "cli/progress.h"
#include "cli/seed.h"
#include "cli/subject_option.h"
#include "oracle/libtorch.h"
#include "props/case_class.h"
#include "reports/finding_text.h"
#include "reports/markdown.h"

namespace tieout {
namespace {

struct Arguments {
  std::int64_t cases = 10'000;
  std::string seed;    // empty: drawn
  std::string report;  // empty: none
  bool uniform = false;
  SubjectArguments subject;
};

constexpr std::int64_t kMostCases = 1'000'000'000'000;

volatile std::sig_atomic_t interrupted = 0;  // a signal handler can reach nothing else

// Before the work, not after it.
tl::expected<void, std::string> make_writable(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return tl::unexpected(error.message());
  if (access(folder.c_str(), W_OK) != 0) return tl::unexpected(std::string("nothing can be written there"));
  return {};
}

// False: a report could not be written.
bool write_reports(const std::string& folder, const RunSummary& run) {
  std::string findings;
  for (const Finding& finding : run.findings) findings += finding_text(finding) + '\n';
  for (const auto& [name, text] : {std::pair{"report.md", markdown(run)}, std::pair{"findings.txt", findings}}) {
    if (const auto written = write_file(std::filesystem::path(folder) / name, text); !written) {
      fmt::print(stderr, "tieout fuzz: {}\n", written.error());
      return false;
    }
  }
  return true;
}

// What the cases reached, and what they did not: a hole is not a pass. In lines of 80 columns.
void print_classes(const RunSummary& run, bool with_subject) {
  std::vector<std::string> missed;
  std::string line = "  reached:";
  for (std::size_t i = 0; i < kCaseClasses; ++i) {
    const auto cls = static_cast<CaseClass>(i);
    if (with_subject && of_execution(cls)) continue;
    const std::string what(name(cls));
    const auto found = run.cases_by_class.find(what);
    if (found == run.cases_by_class.end()) {
      missed.push_back(what);
      continue;
    }
    const std::string item = fmt::format(" {} {},", what, found->second);
    if (line.size() + item.size() > 80) {
      fmt::print("{}\n", line);
      line = "   ";
    }
    line += item;
  }
  line.back() = '\n';
  fmt::print("{}", line);
  if (!missed.empty()) fmt::print("  not reached: {}\n", fmt::join(missed, ", "));
}

void print_summary(const RunSummary& run, bool with_subject) {
  for (const Finding& finding : run.findings) fmt::print("{}\n", finding_text(finding));
  fmt::print("{}{}\n", interrupted != 0 ? "interrupted: " : "", verdict(run));
  for (const auto& field : {&Cell::path, &Cell::engine, &Cell::isa}) {
    for (const auto& [what, counts] : counts_by(run, field)) {
      fmt::print("  {:<16} {:>9} cases {:>12} elements\n", what, counts.cases, counts.elements);
    }
  }
  print_classes(run, with_subject);
  for (const auto& [why, count] : run.excused) fmt::print("  counted as equal: {} {}\n", count, why);
  for (const auto& [reason, count] : run.reasons) fmt::print("  not verified: {:>7} {}\n", count, reason);
  fmt::print("{:.1f} s, {:.0f} cases/s, {:.0f} % of the time inside LibTorch\n", run.seconds,
             static_cast<double>(run.cases.all()) / run.seconds, 100 * run.seconds_in_engine / run.seconds);
}

int bad_usage(const char* option, const std::string& why) {
  fmt::print(stderr, "tieout fuzz: {}: {}\n", option, why);
  return kBadUsage;
}

int run_fuzz(const Arguments& arguments) {
  const auto seed = arguments.seed.empty() ? draw_seed() : parse_seed(arguments.seed);
  if (!seed) return bad_usage("--seed", seed.error());
  if (!arguments.report.empty()) {
    if (const auto made = make_writable(arguments.report); !made) {
      return bad_usage("--report", arguments.report + ": " + made.error() + "; name a folder that can be written");
    }
  }
  const auto subject = open_optional(arguments.subject, "fuzz");
  if (!subject) return subject.error();
  const auto reference = libtorch();
  if (!reference) {
    fmt::print(stderr, "tieout fuzz: LibTorch cannot be loaded: {}\n", reference.error().message);
    return kNotVerified;
  }
  fmt::print(stderr, "seed {}\n", *seed);
  std::signal(SIGINT, [](int) { interrupted = 1; });
  Progress progress(arguments.cases);
  const FuzzOptions options{.cases = arguments.cases,
                            .seed = *seed,
                            .policy = arguments.uniform ? Policy::uniform : Policy::hunting,
                            .subject = subject->get(),
                            .rules = arguments.subject.rules()};
  const RunSummary run = fuzz(options, **reference, [&](const RunSummary& so_far) {
    progress.show(so_far.cases.all(), so_far.cases.differed + so_far.cases.crashed);
    return interrupted == 0;
  });
  progress.finish();
  std::signal(SIGINT, SIG_DFL);

  print_summary(run, *subject != nullptr);
  const bool reported = arguments.report.empty() || write_reports(arguments.report, run);
  const int status = exit_status(run);
  // Less than was asked for has not verified it; a difference found is one all the same.
  return status == kEqual && (interrupted != 0 || !reported) ? int{kNotVerified} : status;
}

}  // namespace

void add_fuzz(CLI::App& app, int& exit_status) {
  auto* const command =
      app.add_subcommand("fuzz", "Verify random cases on every path, instruction set and engine of LibTorch");
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("--cases", arguments->cases, "How many")
      ->check(CLI::Range(std::int64_t{1}, kMostCases))
      ->capture_default_str();
  command->add_option("--seed", arguments->seed, "Of the sequence of cases; drawn and printed if absent");
  command->add_option("--report", arguments->report, "Folder for report.md and findings.txt");
  command->add_flag("--uniform", arguments->uniform, "Ordinary random data instead of cases that hunt, for comparison");
  add_subject_options(*command, arguments->subject);
  command->callback([arguments, &exit_status] { exit_status = run_fuzz(*arguments); });
}

}  // namespace tieout
