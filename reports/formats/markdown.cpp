#include "reports/formats/markdown.h"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>
#include <vector>

#include "reports/data/coverage.h"
#include "reports/data/tensor_mismatches.h"
#include "reports/data/trend.h"
#include "reports/formats/departure_text.h"
#include "reports/formats/finding_text.h"
#include "reports/text/markdown_text.h"
#include "reports/text/number_text.h"

namespace tieout {
namespace {

std::string folded(const std::string& title, const std::string& contents) {
  return "<details><summary>" + title + "</summary>\n\n" + contents + "\n</details>\n\n";
}

std::string table(const char* what, const std::map<std::string, std::int64_t>& counts) {
  std::string rows = fmt::format("| {} | cases |\n|---|--:|\n", what);
  for (const auto& [name, count] : counts) rows += fmt::format("| {} | {} |\n", inline_text(name), grouped(count));
  return rows;
}

std::string facts(const RunSummary& run) {
  std::string text = fmt::format("Reference: {}. ", inline_text(run.reference));
  if (!run.subject.empty()) text += fmt::format("Subject: {}. ", inline_text(run.subject));
  if (!run.machine.cpu.empty()) text += fmt::format("Machine: {}. ", inline_text(run.machine.cpu));
  if (!run.machine.variables.empty()) text += fmt::format("Environment: {}. ", inline_text(run.machine.variables));
  if (run.started != 0) text += utc_text(run.started) + ". ";
  text += fmt::format("Seed {}, {:.1f} s.", run.seed, run.seconds);
  if (!run.finished) text += " It was interrupted; this is what it had done.";
  return text + (run.command.empty() ? "\n\n" : " Repeat with\n\n" + fenced(run.command) + "\n");
}

std::string table_of_runs(const Report& report) {
  std::string rows = "## Runs\n\n| started | seed | verified | differed | findings met first | again | no longer |\n";
  rows += "|---|--:|--:|--:|--:|--:|--:|\n";
  const std::vector<TrendPoint> points = trend(report);
  for (std::size_t i = points.size(); i-- > 0;) {  // the latest first
    const RunSummary& run = report.runs[i];
    rows += fmt::format("| {} | {} | {} | {} | {} | {} | {} |\n", utc_text(run.started), run.seed,
                        grouped(run.cases.verified()), grouped(run.cases.differed + run.cases.crashed), points[i].first,
                        points[i].again, points[i].resolved);
  }
  return rows + "\n";
}

std::string table_of_coverage(const RunSummary& run) {
  std::string rows = "## What was verified\n\n| engine | instruction set | path | cases | elements | differed |\n";
  rows += "|---|---|---|--:|--:|--:|\n";
  for (const CoverageRow& row : coverage(run)) {
    rows += fmt::format("| {} | {} | {} | {} | {} | {} |\n", inline_text(row.engine), inline_text(row.isa),
                        inline_text(row.path), grouped(row.counts.cases), grouped(row.counts.elements),
                        grouped(row.counts.differed));
  }
  return rows + fmt::format("| all |  |  | {} | {} | {} |\n\n", grouped(run.cases.verified()), grouped(run.elements()),
                            grouped(run.cases.differed));
}

std::string table_of_cells(const RunSummary& run) {
  std::string rows = "| engine | instruction set | path | granularity | bias | cases | elements | differed |\n";
  rows += "|---|---|---|---|---|--:|--:|--:|\n";
  for (const auto& [cell, counts] : run.cells) {
    rows += fmt::format("| {} | {} | {} | {} | {} | {} | {} | {} |\n", inline_text(cell.engine), inline_text(cell.isa),
                        inline_text(cell.path), inline_text(cell.granularity), inline_text(cell.bias),
                        grouped(counts.cases), grouped(counts.elements), grouped(counts.differed));
  }
  return rows;
}

std::string table_of_elements(const Finding& finding) {
  std::string rows = "| index | expected | actual | accumulator | before rounding |\n|---|--:|--:|--:|--:|\n";
  for (const MismatchedElement& element : finding.elements) {
    rows +=
        fmt::format("| {} | {} | {} | {} | {} |\n", code_span(index_text(element.offset, finding.expected.shape)),
                    element.expected, element.actual,
                    has_accumulators(finding) ? std::to_string(element.accumulator) : "-", float_text(element.scaled));
  }
  const auto differing = std::ssize(compare_tensors(finding.expected, finding.actual).offsets);
  const std::int64_t more = differing - std::ssize(finding.elements);
  return rows + (more > 0 ? fmt::format("\n... and {} more\n", grouped(more)) : "");
}

std::string finding_block(const ReportedFinding& reported) {
  const Finding& finding = reported.finding;
  const Cell& cell = finding.cell;
  std::string text = fmt::format("**{}, {}, {}**: {}", inline_text(cell.engine), inline_text(cell.isa),
                                 inline_text(cell.path), size_text(finding));
  if (const std::string derivation = reported_derivation(finding); !derivation.empty()) {
    text += "; " + inline_text(derivation);
  }
  text += ".\n\n";
  if (const std::string replay = replay_command(finding); !replay.empty()) text += fenced(replay) + "\n";
  if (reported.known) {
    text += fmt::format("Known: {} {}\n\n", inline_text(reported.known->reason), inline_text(reported.known->link));
  }
  if (has_tensors(finding)) text += table_of_elements(finding) + "\n";
  text += folded("as the document's script prints it", fenced(finding_text(finding)));
  if (!finding.explanation.empty()) text += folded("the worst element, step by step", fenced(finding.explanation));
  if (finding.original_line != finding.case_line) {
    text += folded("as it was drawn", fenced(replay_original(finding)));
  }
  return text;
}

// Returns the heading above the first finding of each kind, "### tie: 3 new"; "" for the other findings.
std::string heading_above(const std::vector<ReportedFinding>& findings, std::size_t at) {
  const auto alike = [&](const ReportedFinding& other) {
    return other.known.has_value() == findings[at].known.has_value() &&
           kind_of(other.finding) == kind_of(findings[at].finding);
  };
  if (at > 0 && alike(findings[at - 1])) return {};
  return fmt::format("### {}: {} {}\n\n", inline_text(kind_of(findings[at].finding)),
                     std::ranges::count_if(findings, alike), findings[at].known ? "known" : "new");
}

std::string lines_text(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

std::string capitalized(std::string text) {
  if (!text.empty()) text.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(text.front())));
  return text;
}

std::string cause_block(const Report& report, std::size_t i) {
  const ReportedCause& cause = report.total.causes[i];
  const CaseCounts& cases = report.total.cases;
  std::string text = fmt::format("### {}. {}\n\n", i + 1, inline_text(cause.text));
  if (!cause.condition.empty()) text += fmt::format("Where {}. ", inline_text(cause.condition));
  if (is_known(report, cause)) text += "Accepted by the baseline. ";
  text +=
      fmt::format("Explains {} of {} cases that differ", grouped(cause.cases), grouped(cases.differed + cases.crashed));
  text += cause.fresh > 0 ? fmt::format("; {}.\n\n", inline_text(proof_text(cause))) : ".\n\n";
  if (!cause.diff.empty()) text += fenced(lines_text(cause.diff), "diff") + "\n";
  if (!cause.picture.empty()) text += fenced(lines_text(cause.picture)) + "\n";
  if (!cause.case_line.empty()) {
    text += capitalized(smallest_text(cause)) + ":\n\n";
    text += fenced(cause.replay) + "\n";
  }
  return text;
}

std::string resolved_block(const std::vector<KnownFinding>& resolved) {
  if (resolved.empty()) return {};
  std::string rows =
      fmt::format("## Resolved: {}\n\nKnown findings that the latest run no longer met.\n\n", resolved.size());
  rows += "| kind | engine | instruction set | path | was accepted because |\n|---|---|---|---|---|\n";
  for (const KnownFinding& known : resolved) {
    rows += fmt::format("| {} | {} | {} | {} | {} {} |\n", inline_text(known.kind), inline_text(known.engine),
                        inline_text(known.isa), inline_text(known.path), inline_text(known.reason),
                        inline_text(known.link));
  }
  return rows + "\n";
}

std::string table_block(const ReportedTable& table) {
  const auto row = [](const std::vector<std::string>& cells) {
    std::string line = "|";
    for (const std::string& cell : cells) line += " " + inline_text(cell) + " |";
    return line + "\n";
  };
  std::string text = "## " + inline_text(table.title) + "\n\n" + row(table.columns) + "|";
  for (std::size_t i = 0; i < table.columns.size(); ++i) text += "---|";
  text += "\n";
  for (const std::vector<std::string>& cells : table.rows) text += row(cells);
  return text + "\n";
}

std::string departures_block(const RunSummary& run) {
  std::string items;
  for (const std::string& sentence : departure_sentences(run)) items += "- " + inline_text(sentence) + "\n";
  return items.empty() ? items : items + "\n";
}

std::string classes_block(const RunSummary& run) {
  std::map<std::string, std::int64_t> reached;
  for (const std::string& cls : run.classes) reached[cls] = run.reached(cls);
  return folded("What the cases reached", table("class", reached));
}

// A text that accepts whole blocks as long as they fit.
class Bounded {
 public:
  explicit Bounded(std::size_t most_bytes) : room_(most_bytes) {}

  [[nodiscard]] bool add(const std::string& block) {
    if (block.size() > room_) return false;
    room_ -= block.size();
    text_ += block;
    return true;
  }

  void add_or(const std::string& block, const std::string& otherwise) {
    if (!add(block)) (void)add(otherwise);
  }

  void keep(std::size_t bytes) { room_ -= std::min(room_, bytes); }
  void give_back(std::size_t bytes) { room_ += bytes; }
  [[nodiscard]] std::string text() && { return std::move(text_); }

 private:
  std::size_t room_;
  std::string text_;
};

}  // namespace

std::string markdown(const Report& report, std::size_t most_bytes) {
  constexpr std::size_t kNotes = 512;  // for the lines about what was left out
  const RunSummary& total = report.total;
  const std::map<std::string, std::int64_t> differences = reported_differences(total);
  std::vector<std::string> tables{
      report.table ? table_block(*report.table) : "",
      resolved_block(report.resolved),
      report.runs.size() > 1 ? table_of_runs(report) : "",
      total.reasons.empty() ? "" : "## Not verified\n\n" + table("because", total.reasons) + "\n",
      differences.empty() ? "" : folded("Cases that differ, by kind", table("kind", differences)),
      classes_block(total),
      folded(fmt::format("Cells compared: {}", total.cells.size()), table_of_cells(total))};
  std::size_t table_bytes = 0;
  for (const std::string& each : tables) table_bytes += each.size();
  table_bytes = std::min(table_bytes, most_bytes / 2);  // findings have priority

  Bounded text(most_bytes);
  text.keep(kNotes + table_bytes);
  text.add_or(fmt::format("# Tieout: {}\n\n", inline_text(verdict(report))), "# Tieout\n\n");
  std::int64_t tables_left_out = text.add(departures_block(total)) ? 0 : 1;
  std::int64_t left_out = 0;
  if (!total.causes.empty()) text.add_or(fmt::format("## Causes: {}\n\n", total.causes.size()), "");
  for (std::size_t i = 0; i < total.causes.size(); ++i) left_out += text.add(cause_block(report, i)) ? 0 : 1;
  text.add_or(facts(report.runs.back()), "");
  text.add_or(table_of_coverage(total), "");
  const std::int64_t fresh = report.new_findings();
  text.add_or(fmt::format("## Findings: {} new, {} known\n\n", fresh, std::ssize(report.findings) - fresh), "");
  for (std::size_t i = 0; i < report.findings.size(); ++i) {
    left_out += text.add(heading_above(report.findings, i) + finding_block(report.findings[i])) ? 0 : 1;
  }
  text.give_back(table_bytes);
  for (const std::string& each : tables) tables_left_out += text.add(each) ? 0 : 1;
  text.give_back(kNotes);
  if (left_out > 0 || tables_left_out > 0) {
    text.add_or(fmt::format("**Left out, because this text may be {} bytes long: {}, {}.** The other formats of the "
                            "report have them.\n",
                            grouped(static_cast<std::int64_t>(most_bytes)), counted(left_out, "finding"),
                            counted(tables_left_out, "table")),
                "Some of it was left out.\n");
  }
  return std::move(text).text();
}

}  // namespace tieout
