#include "cli/campaign/campaign_run.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <utility>
#include <vector>

#include "cases/strings/printable.h"
#include "cli/common/command.h"
#include "cli/common/commands.h"
#include "cli/common/interruption.h"
#include "cli/common/progress.h"
#include "cli/common/run_text.h"
#include "cli/common/terminal.h"
#include "props/campaign/case_at.h"
#include "reports/text/number_text.h"

namespace tieout {
namespace {

constexpr std::size_t kMostPrinted = 20;  // maximum number of findings printed; reports contain all
constexpr std::size_t kMostOfACause = 3;  // maximum number of those that one cause explains

// Prints for example "  classes, each with the cases that reach it: tie=12, bias=30"; nothing if there are no items.
void print_counts(const char* head, const std::vector<std::string>& items) {
  if (!items.empty()) print_wrapped(fmt::format("{} {}", head, fmt::join(items, ", ")));
}

void print_classes(const RunSummary& run) {
  std::vector<std::string> reached;
  std::vector<std::string> missed;
  for (const std::string& cls : run.classes) {
    const std::int64_t count = run.reached(cls);
    if (count > 0) reached.push_back(fmt::format("{}={}", cls, count));
    if (count == 0) missed.push_back(cls);
  }
  print_counts("  classes, each with the cases that reach it:", reached);
  print_counts("  classes that no case reaches:", missed);
}

// Prints one line per strategy, because a strategy's name may contain commas.
void print_strategies(const RunSummary& run) {
  double all = 0;
  for (const auto& [strategy, seconds] : run.strategy_seconds) all += seconds;
  for (const auto& [strategy, cases] : run.strategies) {
    const auto seconds = run.strategy_seconds.find(strategy);
    const double share = all > 0 && seconds != run.strategy_seconds.end() ? 100 * seconds->second / all : 0;
    print_wrapped(
        fmt::format("  drawn for {}: {}, {:.0f} % of the time", printable(strategy), counted(cases, "case"), share));
  }
}

// Prints how many cases the subject declined, by its reasons, the most frequent first.
void print_declined(const RunSummary& run) {
  constexpr std::size_t kMostReasons = 12;
  std::vector<std::pair<std::int64_t, std::string>> reasons;
  for (const auto& [reason, times] : run.declined) reasons.emplace_back(-times, reason);
  std::ranges::sort(reasons);
  for (std::size_t i = 0; i < reasons.size() && i < kMostReasons; ++i) {
    print_wrapped(fmt::format("  declined by the subject and replaced by others: {}: {}",
                              counted(-reasons[i].first, "case"), printable(reasons[i].second)));
  }
  if (reasons.size() > kMostReasons) fmt::print("  ... and {} more reasons\n", reasons.size() - kMostReasons);
}

// Prints the findings, and the findings of the baseline that were not found again.
void print_findings(const Report& report) {
  // The shortest cases come first, because they are the easiest to understand.
  std::vector<const ReportedFinding*> findings;
  for (const ReportedFinding& reported : report.findings) findings.push_back(&reported);
  std::ranges::stable_sort(findings, {}, [](const ReportedFinding* f) { return f->finding.case_line.size(); });
  std::map<std::string, std::size_t> of_cause;
  std::size_t printed = 0;
  for (const ReportedFinding* const reported : findings) {
    const Finding& finding = reported->finding;
    if (printed == kMostPrinted) break;
    if (has_cause(report, finding) && ++of_cause[kind_of(finding)] > kMostOfACause) continue;
    if (reported->known) fmt::print("accepted by the baseline: {}\n", printable(reported->known->reason));
    print_finding(finding);
    print_text("\n");
    ++printed;
  }
  if (findings.size() > printed) {
    fmt::print("... and {} more findings: a report has them all\n", findings.size() - printed);
  }
  for (const KnownFinding& resolved : report.resolved) {
    fmt::print("resolved: {}{}{}: no longer found\n", printable(resolved.kind),
               resolved.kind.empty() || resolved.case_line.empty() ? "" : ", ", printable(resolved.case_line));
  }
}

// Prints the cases and elements by path, engine and instruction set.
void print_cells(const RunSummary& run) {
  struct Field {
    const char* name;
    std::string Cell::* member;
  };
  for (const auto& [name, member] :
       {Field{"path", &Cell::path}, {"engine", &Cell::engine}, {"instruction set", &Cell::isa}}) {
    for (const auto& [what, counts] : counts_by(run, member)) {
      fmt::print("  {:<15} {:<15} {:>17} {:>24}\n", name, printable(what), counted(counts.cases, "case"),
                 counted(counts.elements, "element"));
    }
  }
}

}  // namespace

void add_memory_option(Command& command, std::int64_t& memory) {
  command.option("--memory", &memory,
                 "Memory of a worker process, MiB; a case that needs more is not verified (a subject's process may "
                 "take a quarter of the machine's memory, at most 8 GiB)",
                 {.check = whole_number(64, std::int64_t{1} << 24U), .show_default = true});
}

CampaignEnd watch_campaign(const CampaignOptions& options, const Reference& reference, CampaignStart start,
                           const BlockWriter& block) {
  take_interruptions();
  Progress progress(options.cases / options.shard.count, options.seconds);
  CampaignEnd end;
  const CampaignCalls calls{.progress =
                                [&](const RunSummary& run, const Underway& underway) {
                                  progress.show(run, underway.answered, underway.processes);
                                  return !is_interrupted();
                                },
                            .block =
                                [&](const RecordBlock& one, const RunSummary& run) {
                                  const auto written = block(one, run);
                                  if (!written) end.error = written.error();
                                  return written.has_value();
                                },
                            .stopped = [&](const std::string& why) { end.error = why; }};
  end.run = run_campaign(options, reference, std::move(start), calls);
  progress.finish();
  release_interruptions();
  if (!end.error.empty()) end.run.finished = false;
  return end;
}

DifferingCases differing_cases(const CampaignOptions& options) {
  return {.indices = {}, .draw = [&options](std::int64_t index, std::int64_t attempt) -> std::optional<ConvCase> {
            if (attempt >= options.attempts) return {};
            return draw(options, index, attempt);
          }};
}

void add_differing(DifferingCases& differing, const RecordBlock& block) {
  if (block.number == kCorpusBlock) return;
  for (std::size_t i = 0; i < block.verdicts.size(); ++i) {
    if (block.verdicts[i] == 'D') differing.indices.push_back(block.number * kBlock + static_cast<std::int64_t>(i));
  }
}

void print_run(const Report& report) {
  const RunSummary& run = report.total;
  print_causes(report);
  print_findings(report);
  print_run_verdict(report, run.finished || !run.incomplete.empty() ? "" : "interrupted: ");
  print_text("\n");
  print_cells(run);
  print_classes(run);
  print_strategies(run);
  print_departures_and_reasons(run);
  if (!run.domain.empty()) fmt::print("  drawn from the cases with: {}\n", printable(run.domain));
  print_declined(run);
  if (verified_little(run)) {
    fmt::print("  only {} of {} were verified: say by --where which cases to draw, or allow it by --allow-skipped\n",
               grouped(run.cases.verified()), counted(run.cases.all(), "case"));
  }
  const bool by_libtorch = !run.machine.libtorch.empty();
  if (!by_libtorch) print_wrapped("  reference: " + printable(run.reference));
  fmt::print("{:.1f} s, {:.0f} cases/s, {} worker{}", run.seconds, static_cast<double>(run.cases.all()) / run.seconds,
             run.workers, run.workers == 1 ? "" : "s");
  const double part = run.seconds_in_engine / (run.seconds * run.workers);
  if (by_libtorch) fmt::print(", {:.0f} % of their time inside LibTorch", 100 * part);
  fmt::print("\n");
}

int end_status(const Report& report, bool written) {
  const int status = exit_status(report);
  return status == kEqual && !written ? int{kNotVerified} : status;
}

}  // namespace tieout
