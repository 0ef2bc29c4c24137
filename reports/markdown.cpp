#include "reports/markdown.h"

#include <fmt/format.h>

#include "reports/finding_text.h"
#include "reports/number_text.h"

namespace tieout {
namespace {

std::string table(const char* what, const std::map<std::string, std::int64_t>& counts) {
  std::string rows = fmt::format("| {} | cases |\n|---|--:|\n", what);
  for (const auto& [name, count] : counts) rows += fmt::format("| {} | {} |\n", name, grouped(count));
  return rows;
}

std::string table_of_cells(const RunSummary& run) {
  std::string rows = "| engine | instruction set | path | granularity | bias | cases | elements | differed |\n";
  rows += "|---|---|---|---|---|--:|--:|--:|\n";
  for (const auto& [cell, counts] : run.cells) {
    rows +=
        fmt::format("| {} | {} | {} | {} | {} | {} | {} | {} |\n", cell.engine, cell.isa, cell.path, cell.granularity,
                    cell.bias, grouped(counts.cases), grouped(counts.elements), grouped(counts.differed));
  }
  return rows;
}

}  // namespace

std::string markdown(const Report& report) {
  const RunSummary& run = report.total;
  std::string text = fmt::format("# Tieout: {}\n\n", verdict(report));
  text += fmt::format("Reference: {}. Seed {}, {:.1f} s. Repeat with `{}`.\n\n", run.reference, run.seed, run.seconds,
                      run.command);
  text += "| path | cases | elements compared |\n|---|--:|--:|\n";
  for (const auto& [path, counts] : counts_by(run, &Cell::path)) {
    text += fmt::format("| {} | {} | {} |\n", path, grouped(counts.cases), grouped(counts.elements));
  }
  text += fmt::format("| all | {} | {} |\n\n", grouped(run.cases.verified()), grouped(run.elements()));
  if (!run.reasons.empty()) text += table("not verified, because", run.reasons) + '\n';
  text += fmt::format("## Findings: {}\n\n", report.findings.size());
  for (const auto& [finding, runs, known] : report.findings) {
    text += fmt::format("```\n{}```\n\n", finding_text(finding));
    if (finding.original_line != finding.case_line) {
      text += fmt::format("<details><summary>as it was drawn</summary>\n\n```\n{}\n```\n\n</details>\n\n",
                          replay_command(finding.original_line));
    }
  }
  std::map<std::string, std::int64_t> reached;
  for (const std::string& cls : run.classes) reached[cls] = run.reached(cls);
  text += "## What the cases reached\n\n" + table("class", reached);
  text += fmt::format("\n## Cells compared: {}\n\n", run.cells.size()) + table_of_cells(run);
  return text;
}

}  // namespace tieout
