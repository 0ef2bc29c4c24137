#include "reports/markdown.h"

#include <fmt/format.h>

#include "reports/finding_text.h"

namespace tieout {
namespace {

// 1234567 as 1,234,567.
std::string grouped(std::int64_t value) {
  std::string digits = fmt::format("{}", value);
  for (std::ptrdiff_t at = std::ssize(digits) - 3; at > (value < 0 ? 1 : 0); at -= 3) {
    digits.insert(static_cast<std::size_t>(at), 1, ',');
  }
  return digits;
}

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

std::string verdict(const RunSummary& run) {
  const auto& cases = run.cases;
  std::string text;
  if (cases.differed > 0) {
    text = fmt::format("{} of {} cases differ", grouped(cases.differed), grouped(cases.verified()));
  } else if (cases.verified() == 0) {
    text = "nothing was verified";
  } else {
    text = fmt::format("{} cases verified, {} elements equal", grouped(cases.verified()), grouped(run.elements()));
  }
  const auto others = [&](std::int64_t count, const char* what) {
    if (count > 0) text += fmt::format(", {} {}", grouped(count), what);
  };
  others(cases.crashed, "crashed");
  others(cases.mistrusted, "mistrusted");
  others(cases.skipped, "skipped");
  others(cases.errored, "errored");
  for (const std::string& missing : run.missing_classes) text += ", class " + missing + " not reached";
  return text;
}

std::string markdown(const RunSummary& run) {
  std::string text = fmt::format("# Tieout: {}\n\n", verdict(run));
  text += fmt::format("Reference: {}. Seed {}, {:.1f} s. Repeat with `{}`.\n\n", run.reference, run.seed, run.seconds,
                      run.command);
  text += "| path | cases | elements compared |\n|---|--:|--:|\n";
  for (const auto& [path, counts] : counts_by(run, &Cell::path)) {
    text += fmt::format("| {} | {} | {} |\n", path, grouped(counts.cases), grouped(counts.elements));
  }
  text += fmt::format("| all | {} | {} |\n\n", grouped(run.cases.verified()), grouped(run.elements()));
  if (!run.excused.empty()) text += table("equal to the exact contract, and not to LibTorch", run.excused) + '\n';
  if (!run.reasons.empty()) text += table("not verified, because", run.reasons) + '\n';
  text += fmt::format("## Findings: {}\n\n", run.findings.size());
  for (const Finding& finding : run.findings) {
    text += fmt::format("```\n{}```\n\n", finding_text(finding));
    if (finding.original_line != finding.case_line) {
      text += fmt::format("<details><summary>as it was drawn</summary>\n\n```\n{}\n```\n\n</details>\n\n",
                          replay_command(finding.original_line, finding.subject));
    }
  }
  text += "## What the cases reached\n\n" + table("class", run.cases_by_class);
  text += fmt::format("\n## Cells compared: {}\n\n", run.cells.size()) + table_of_cells(run);
  return text;
}

}  // namespace tieout
