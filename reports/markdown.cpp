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
  if (cases.skipped > 0) text += fmt::format(", {} skipped", grouped(cases.skipped));
  if (cases.errored > 0) text += fmt::format(", {} errored", grouped(cases.errored));
  return text;
}

std::string markdown(const RunSummary& run) {
  std::string text = fmt::format("# Tieout: {}\n\n", verdict(run));
  text += fmt::format("Subject `{}` against reference `{}`, seed {}, {:.1f} s.\n\nRepeat with `{}`.\n\n", run.subject,
                      run.reference, run.seed, run.seconds, run.command);
  text += "| path | cases | elements compared |\n|---|--:|--:|\n";
  for (const auto& [path, elements] : run.elements_by_path) {
    text += fmt::format("| {} | {} | {} |\n", path, grouped(run.cases_by_path.at(path)), grouped(elements));
  }
  text += fmt::format("| all | {} | {} |\n\n", grouped(run.cases.verified()), grouped(run.elements()));
  if (!run.reasons.empty()) text += table("not verified, because", run.reasons) + '\n';
  if (!run.cases_by_class.empty()) text += table("what the cases reached", run.cases_by_class) + '\n';
  text += fmt::format("## Findings: {}\n\n", run.findings.size());
  for (const Finding& finding : run.findings) {
    text += fmt::format("```\n{}```\n\n", finding_text(finding));
    if (finding.original_line != finding.case_line) {
      text += fmt::format("<details><summary>as it was drawn</summary>\n\n```\n{}\n```\n\n</details>\n\n",
                          replay_command(finding.original_line));
    }
  }
  return text;
}

}  // namespace tieout
