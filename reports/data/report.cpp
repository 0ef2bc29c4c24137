#include "reports/data/report.h"

#include <fmt/core.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "reports/text/number_text.h"

namespace tieout {
namespace {

bool names(const KnownFinding& known, const Finding& finding) {
  const auto fits = [](const std::string& wanted, const std::string& is) { return wanted.empty() || wanted == is; };
  return fits(known.kind, kind_of(finding)) && fits(known.cause, finding.cause) &&
         fits(known.condition, finding.condition) && fits(known.engine, finding.cell.engine) &&
         fits(known.isa, finding.cell.isa) && fits(known.path, finding.cell.path) &&
         fits(known.case_line, finding.case_line);
}

// Summary of the findings that were kept of one kind.
struct Kept {
  std::int64_t findings = 0;
  bool any_new = false;            // true if one of them is unknown
  bool by_more_than_case = false;  // true if a baseline entry that matches one of them is not limited to a single case
};

// Groups the findings by the kind by which they were counted: one of reported_differences().
std::map<std::string, Kept> kept_by_kind(const Report& report) {
  std::map<std::pair<std::string, std::string>, const ReportedFinding*> reported;
  for (const ReportedFinding& each : report.findings) {
    reported[{kind_of(each.finding), each.finding.case_line}] = &each;
  }
  std::map<std::string, Kept> kinds;
  for (const RunSummary& run : report.runs) {
    for (const Finding& finding : run.findings) {
      const auto found = reported.find({kind_of(finding), finding.case_line});
      if (found == reported.end()) continue;
      const std::optional<KnownFinding>& known = found->second->known;
      const std::string kind = kind_of(finding);
      const bool by_cause = is_guess(finding) && report.total.cases_by_cause.contains(kind);
      Kept& kept = kinds[by_cause ? kind : counted_kind(finding)];
      ++kept.findings;
      kept.any_new = kept.any_new || !known;
      kept.by_more_than_case = kept.by_more_than_case || (known && known->case_line.empty());
    }
  }
  return kinds;
}

// Returns how many of the differing cases of a kind are explained by known findings: all, if everything kept of it is
// known and an entry of the baseline names more than single cases; those that were kept, if each is named by its case;
// else none.
std::int64_t accounted_for(const Kept& kept, std::int64_t count) {
  if (kept.any_new) return 0;
  return kept.by_more_than_case ? count : std::min(kept.findings, count);
}

// Returns the number of causes and of the cases without one: ", 2 causes, 17 cases unexplained, 1 case fails"; nothing
// if no diagnosis has proven any.
std::string causes_text(const RunSummary& run) {
  if (run.causes.empty()) return {};
  std::int64_t failing = 0;
  for (const auto& [kind, cases] : run.cases_by_cause) {
    const bool is_cause = std::ranges::find(run.causes, kind, name_of) != run.causes.end();
    if (!is_cause && kind != kUnexplained) failing += cases;
  }
  std::string text = ", " + counted(std::ssize(run.causes), "cause");
  const auto unexplained = run.cases_by_cause.find(std::string(kUnexplained));
  if (unexplained != run.cases_by_cause.end()) text += ", " + counted(unexplained->second, "case") + " unexplained";
  if (failing > 0) text += ", " + counted(failing, "case") + (failing == 1 ? " fails" : " fail");
  return text;
}

}  // namespace

std::int64_t Report::new_findings() const {
  return std::ranges::count_if(findings, [](const ReportedFinding& reported) { return !reported.known; });
}

bool is_known(const Report& report, const ReportedCause& cause) {
  bool any = false;
  for (const ReportedFinding& reported : report.findings) {
    if (reported.finding.cause != cause.text || reported.finding.condition != cause.condition) continue;
    if (!reported.known) return false;
    any = true;
  }
  return any;
}

bool has_cause(const Report& report, const Finding& finding) {
  return !finding.cause.empty() && std::ranges::any_of(report.total.causes, [&](const ReportedCause& cause) {
    return cause.text == finding.cause && cause.condition == finding.condition;
  });
}

Report make_report(std::vector<RunSummary> runs, const std::vector<KnownFinding>& baseline) {
  std::ranges::stable_sort(runs, {}, [](const RunSummary& run) { return std::tie(run.started, run.seed); });
  Report report{.runs = std::move(runs), .total = {}, .findings = {}, .resolved = {}};
  // Only a total of runs that all count by cause can do so.
  for (RunSummary& run : report.runs) {
    if (!run.subject.empty() && run.cases_by_cause.empty()) run.cases_by_cause = reported_differences(run);
  }
  const bool any_by_cause = std::ranges::any_of(
      report.runs, [](const RunSummary& run) { return !run.subject.empty() && !run.cases_by_cause.empty(); });
  for (RunSummary& run : report.runs) {
    if (any_by_cause && run.cases_by_cause.empty()) run.cases_by_cause = run.differences;
  }
  report.total = report.runs.front();
  report.total.findings.clear();
  for (std::size_t i = 1; i < report.runs.size(); ++i) merge(report.total, report.runs[i]);
  // A class that one run missed may have been reached by another.
  std::erase_if(report.total.missing_classes, [&](const std::string& cls) { return report.total.reached(cls) > 0; });

  std::map<std::pair<std::string, std::string>, ReportedFinding> found;
  for (std::size_t i = 0; i < report.runs.size(); ++i) {
    for (const Finding& finding : report.runs[i].findings) {
      ReportedFinding& reported = found[{kind_of(finding), finding.case_line}];
      reported.finding = finding;
      if (reported.runs.empty() || reported.runs.back() != i) reported.runs.push_back(i);
    }
  }
  for (auto& [key, reported] : found) {
    const auto known = std::ranges::find_if(
        baseline, [&, &finding = reported.finding](const KnownFinding& entry) { return names(entry, finding); });
    if (known != baseline.end()) reported.known = *known;
    report.findings.push_back(std::move(reported));
  }
  std::ranges::stable_partition(report.findings, [](const ReportedFinding& reported) { return !reported.known; });

  for (const KnownFinding& entry : baseline) {
    const auto& latest = report.runs.back().findings;
    if (std::ranges::none_of(latest, [&](const Finding& finding) { return names(entry, finding); })) {
      report.resolved.push_back(entry);
    }
  }
  return report;
}

std::int64_t new_differences(const Report& report) {
  std::int64_t unknown = report.total.cases.differed + report.total.cases.crashed;
  const std::map<std::string, Kept> kinds = kept_by_kind(report);
  const bool by_cause = !report.total.cases_by_cause.empty();
  for (const auto& [kind, count] : by_cause ? report.total.cases_by_cause : report.total.differences) {
    const auto kept = kinds.find(kind);
    if (kept != kinds.end()) unknown -= accounted_for(kept->second, count);
  }
  return unknown;
}

std::string verdict(const Report& report) {
  if (!report.headline.empty()) return report.headline;
  const RunSummary& run = report.total;
  const CaseCounts& cases = run.cases;
  std::string text;
  if (cases.differed > 0) {
    text = fmt::format("{} of {} {}{}", grouped(cases.differed), counted(cases.verified(), "case"),
                       cases.verified() == 1 ? "differs" : "differ", causes_text(run));
  } else if (cases.verified() == 0) {
    text = "nothing was verified";
  } else {
    text = fmt::format("{} verified, {} equal", counted(cases.verified(), "case"), counted(run.elements(), "element"));
  }
  const auto others = [&](std::int64_t count, const char* what) {
    if (count > 0) text += fmt::format(", {} {}", grouped(count), what);
  };
  others(cases.crashed, "crashed");
  others(cases.known_defect, "with a known defect");
  others(cases.skipped, "skipped");
  others(cases.unavailable, "unavailable");
  others(cases.no_resources, "without a verdict for lack of memory or processes");
  const std::int64_t fresh = report.new_findings();
  const std::int64_t known = std::ssize(report.findings) - fresh;
  if (known > 0 || !report.resolved.empty()) {
    text += fmt::format("; findings: {} new, {} known", fresh, known);
    if (!report.resolved.empty()) text += fmt::format(", {} resolved", report.resolved.size());
  }
  const std::int64_t unnamed = new_differences(report) - fresh;
  if (fresh == 0 && unnamed > 0) text += fmt::format(", {} differences that were only counted", grouped(unnamed));
  for (const std::string& missing : run.incomplete) text += ", " + missing;
  for (const std::string& missing : run.missing_classes) text += ", class " + missing + " not reached";
  return text;
}

bool verified_little(const RunSummary& run) { return run.cases.verified() * 10 < run.cases.all(); }

int exit_status(const Report& report) {
  if (report.status) return *report.status;
  const RunSummary& run = report.total;
  if (new_differences(report) > 0 || report.new_findings() > 0) return 1;
  if (!run.finished) return 3;
  if (report.allow_skipped && run.cases.all() == 0) return 0;  // no case lies in the domain
  if (verified_little(run) && !report.allow_skipped) return 3;
  const bool unverified = run.cases.unavailable > 0 || run.cases.no_resources > 0 || !run.missing_classes.empty();
  return run.cases.verified() == 0 || run.elements() == 0 || unverified ? 3 : 0;
}

}  // namespace tieout
