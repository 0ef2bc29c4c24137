#pragma once
// Defines a report, which the report formats convert to text: one or several runs, with new and known findings
// distinguished.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "reports/data/model_report.h"
#include "reports/data/run_summary.h"

namespace tieout {

// A finding, or a cause with all findings that it explains, that is accepted. Empty members match everything; `reason`
// explains why it is accepted, `link` names where it is tracked.
struct KnownFinding {
  std::string kind;              // kind_of() of the finding
  std::string cause, condition;  // of the finding
  std::string engine, isa, path;
  std::string case_line;
  std::string reason, link;

  bool operator==(const KnownFinding&) const = default;
};

// A finding of one or several runs. Findings with the same kind and the same smallest case are one.
struct ReportedFinding {
  Finding finding;                    // the finding of the latest run
  std::vector<std::size_t> runs;      // positions in Report::runs, ascending
  std::optional<KnownFinding> known;  // the first entry of the baseline that matches it

  // Returns true if several runs have the finding. A report of one run has no history: all its unknown findings are
  // new.
  [[nodiscard]] bool seen_before() const { return runs.size() > 1; }

  bool operator==(const ReportedFinding&) const = default;
};

// The layers and the other operators of a model, if the run verified one; see ModelReport.
struct ReportedModel {
  std::vector<Column> columns;
  std::vector<LayerReport> layers;
  std::vector<OperatorReport> operators;
};

// A table for a run whose result is more than its findings: a row for each hypothesis of identify or each fault of
// selftest.
struct ReportedTable {
  std::string title;
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;  // one text per column
};

struct Report {
  std::vector<RunSummary> runs;           // oldest first; at least one. The shards of a campaign are one run
  RunSummary total;                       // the sums of all runs; without findings
  std::vector<ReportedFinding> findings;  // unknown findings first; within these sorted by kind, then by case line
  std::vector<KnownFinding> resolved;     // entries of the baseline that match no finding of the latest run

  std::optional<ReportedModel> model;  // of this run; not kept in records
  std::optional<ReportedTable> table;  // of this run; not kept in records
  std::string headline;                // the result of verdict(); empty: verdict() states the counts
  std::optional<int> status;           // the result of exit_status(); empty: it is that of the counts
  bool allow_skipped = false;          // true if verifying less than a tenth of the cases suffices

  [[nodiscard]] std::int64_t new_findings() const;  // number of unknown findings
};

// Returns true if the report has findings that the cause explains, and all of them are known.
[[nodiscard]] bool is_known(const Report& report, const ReportedCause& cause);

// Returns true if a cause of the report explains the finding.
[[nodiscard]] bool has_cause(const Report& report, const Finding& finding);

// Makes a report of at least one run, in any order.
[[nodiscard]] Report make_report(std::vector<RunSummary> runs, const std::vector<KnownFinding>& baseline = {});

// Returns the report's first line: "10,000 cases verified, 1,234,567 elements equal"; "3 of 10,000 cases differ, 2 new
// findings, 1 known".
[[nodiscard]] std::string verdict(const Report& report);

// Returns the number of cases that differed or crashed and that known findings do not explain: no finding of their kind
// was kept, or one that was kept is unknown.
[[nodiscard]] std::int64_t new_differences(const Report& report);

// Returns the exit status, which all formats and the process give: `status` if it is set; otherwise 0 if all is
// verified and equal, or all differences are known; 1 for unknown differences; 3 if the run did not finish, if nothing
// could be verified, if less than a tenth of the cases was and `allow_skipped` is false, or if not all was verified
// that should have been: an engine or the subject was absent, cases had no resources, or classes were missed.
[[nodiscard]] int exit_status(const Report& report);

// Returns true if less than a tenth of the cases was verified.
[[nodiscard]] bool verified_little(const RunSummary& run);

}  // namespace tieout
