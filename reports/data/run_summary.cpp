#include "reports/data/run_summary.h"

#include <algorithm>
#include <functional>

namespace tieout {
namespace {

template <typename Key, typename Number>
void add(std::map<Key, Number>& sums, const std::map<Key, Number>& counts) {
  for (const auto& [key, count] : counts) sums[key] += count;
}

void add(CellCounts& sum, const CellCounts& counts) {
  sum.cases += counts.cases;
  sum.elements += counts.elements;
  sum.differed += counts.differed;
  add(sum.classes, counts.classes);
}

}  // namespace

std::map<std::string, std::int64_t> reported_differences(const RunSummary& run) {
  if (!run.cases_by_cause.empty() || run.subject.empty()) {
    return run.cases_by_cause.empty() ? run.differences : run.cases_by_cause;
  }
  // Which of the sampled kinds are guesses follows from the findings.
  std::map<std::string, std::string> reported;
  for (const Finding& finding : run.findings) {
    if (is_guess(finding)) reported.try_emplace(counted_kind(finding), kUnexplained);
  }
  std::map<std::string, std::int64_t> counts;
  for (const auto& [kind, count] : run.differences) {
    const auto name = reported.find(kind);
    counts[name == reported.end() ? kind : name->second] += count;
  }
  return counts;
}

namespace {

// Adds the causes of a run; a cause of several runs is one.
void add_causes(std::vector<ReportedCause>& sum, const std::vector<ReportedCause>& causes) {
  for (const ReportedCause& cause : causes) {
    const auto same = std::ranges::find(sum, name_of(cause), name_of);
    if (same == sum.end()) {
      sum.push_back(cause);
    } else {
      same->cases += cause.cases;
    }
  }
  std::ranges::stable_sort(sum, std::greater{}, &ReportedCause::cases);
}

}  // namespace

void merge(RunSummary& total, const RunSummary& run) {
  total.cases += run.cases;
  add(total.reasons, run.reasons);
  add(total.declined, run.declined);
  add(total.accepted_deviations, run.accepted_deviations);
  add(total.departures, run.departures);
  add(total.differences, run.differences);
  add(total.cases_by_cause, run.cases_by_cause);
  add_causes(total.causes, run.causes);
  add(total.strategies, run.strategies);
  add(total.strategy_seconds, run.strategy_seconds);
  for (const auto& [cell, counts] : run.cells) add(total.cells[cell], counts);
  for (const std::string& cls : run.classes) {
    if (std::ranges::find(total.classes, cls) == total.classes.end()) total.classes.push_back(cls);
  }
  total.finished = total.finished && run.finished;
  total.seconds += run.seconds;
  total.seconds_in_engine += run.seconds_in_engine;
}

void keep_first_findings(RunSummary& run) {
  std::ranges::stable_sort(run.findings, {}, &Finding::index);
  std::map<std::string, std::size_t> kept;
  std::erase_if(run.findings, [&](const Finding& finding) {
    // All findings of a corpus, which have negative indices, are kept.
    return finding.index >= 0 && ++kept[counted_kind(finding)] > kKeptPerKind;
  });
}

void find_missing_classes(RunSummary& run) {
  constexpr std::int64_t kLongEnough = 10'000;
  constexpr std::int64_t kEnoughToTell = 100;
  run.missing_classes.clear();
  for (const std::string& cls : run.classes) {
    const std::int64_t due = cls == "interior" ? kEnoughToTell : kLongEnough;
    // Cases that the subject declines, and cases outside of the domain, cannot be reached, so that the run cannot reach
    // every class.
    const bool limited =
        !run.domain.empty() || !run.declined.empty() || (run.subject != "scalar" && run.cases.skipped > 0);
    const bool wanted = cls == "interior" || (run.hunting && !limited);
    if (wanted && run.cases.verified() >= due && run.reached(cls) == 0) run.missing_classes.push_back(cls);
  }
}

}  // namespace tieout
