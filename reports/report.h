#pragma once
// What the sinks format: one run or many, their findings told apart from those that are known.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "reports/model_report.h"
#include "reports/run_summary.h"

namespace tieout {

// A finding that is accepted. What is empty matches everything; `reason` says why it is accepted, `link` where it is
// followed up.
struct KnownFinding {
  std::string kind;  // kind_of() the finding
  std::string engine, isa, path;
  std::string case_line;
  std::string reason, link;

  bool operator==(const KnownFinding&) const = default;
};

// A finding of one run or of several: the same kind and the same smallest case.
struct ReportedFinding {
  Finding finding;                    // as the latest run has it
  std::vector<std::size_t> runs;      // positions in Report::runs, ascending
  std::optional<KnownFinding> known;  // the first entry of the baseline that names it

  // Seen before the latest run. A report of one run has no past: everything in it that is not known is new.
  [[nodiscard]] bool seen_before() const { return runs.size() > 1; }

  bool operator==(const ReportedFinding&) const = default;
};

// The layers of a model, where the run was of one.
struct ReportedLayers {
  std::vector<Column> columns;
  std::vector<LayerReport> layers;
};

// A table of a run whose result is more than its findings: a row for each hypothesis of identify, each fault of selftest.
struct ReportedTable {
  std::string title;
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;  // a text for each column
};

struct Report {
  std::vector<RunSummary> runs;           // oldest first; at least one. Shards of one campaign are one run
  RunSummary total;                       // all of them together; its findings are empty
  std::vector<ReportedFinding> findings;  // not known first; within these by kind, then by case line
  std::vector<KnownFinding> gone;         // entries of the baseline that name no finding of the latest run

  std::optional<ReportedLayers> model;  // of this run; records of runs do not hold it
  std::optional<ReportedTable> table;   // the same
  std::string headline;                 // what verdict() returns in place of the counts; empty: the counts

  [[nodiscard]] std::int64_t new_findings() const;  // those that are not known
};

// The runs in any order.
[[nodiscard]] Report make_report(std::vector<RunSummary> runs, const std::vector<KnownFinding>& baseline = {});

// "10,000 cases verified, 1,234,567 elements equal"; "3 of 10,000 cases differ, 2 new findings, 1 known".
[[nodiscard]] std::string verdict(const Report& report);

// Cases that differed or crashed and that no known finding accounts for: of a kind of which nothing was kept, or of which
// something kept is not known.
[[nodiscard]] std::int64_t new_differences(const Report& report);

// 0 verified and equal, or everything that differs is known; 1 differences that are not; 3 nothing could be verified, less
// than a tenth of the cases was and this is not allowed, or not all that should have been.
[[nodiscard]] int exit_status(const Report& report, bool allow_skipped = false);

// Whether less than a tenth of the cases was verified.
[[nodiscard]] bool verified_little(const RunSummary& run);

}  // namespace tieout
