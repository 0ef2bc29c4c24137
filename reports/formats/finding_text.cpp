#include "reports/formats/finding_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <string>
#include <vector>

#include "cases/operators/operator_text.h"
#include "cases/strings/printable.h"
#include "reports/data/tensor_mismatches.h"
#include "reports/text/number_text.h"
#include "reports/text/tensor_text.h"
#include "reports/text/text_wrap.h"

namespace tieout {
std::string size_text(const Finding& finding) {
  if (!finding.failure.empty()) return "no answer to compare";
  if (!has_tensors(finding)) return "differs; not described";
  const TensorMismatches d = compare_tensors(finding.expected, finding.actual);
  return fmt::format("{} of {} differ, by up to {}", grouped(std::ssize(d.offsets)), grouped(d.elements), d.largest);
}

std::string size_and_derivation(const Finding& finding) {
  const std::string derivation = reported_derivation(finding);
  return size_text(finding) + (derivation.empty() ? "" : "\n" + derivation);
}

std::string without_tensors_text(const Finding& finding) {
  if (has_tensors(finding)) return {};
  if (!finding.failure.empty()) {
    return (finding.subject.empty() ? finding.expected_name : finding.actual_name) + " " + finding.failure;
  }
  return fmt::format("{} and {} differ: {}; the tensors are missing: {}", finding.actual_name, finding.expected_name,
                     kind_of(finding), finding.undescribed.empty() ? "they were not kept" : finding.undescribed);
}

std::string proof_text(const ReportedCause& cause) {
  return fmt::format("proof: {} of {} fresh cases predicted; explains {} of the {} that differ",
                     grouped(cause.predicted), grouped(cause.fresh), grouped(cause.explains),
                     grouped(cause.fresh_differing));
}

bool has_accumulators(const Finding& finding) { return !names_operator(finding.case_line); }

std::string index_text(std::int64_t offset, const Shape& shape) {
  return fmt::format("[{}]", fmt::join(unravel(offset, shape), ", "));
}

namespace {

// True if the finding's tensors hold the bits of floats.
bool has_float_output(const Finding& finding) {
  const OperatorSchema* const schema = operator_of_line(finding.case_line);
  return schema != nullptr && schema->has_float_output;
}

// Returns the command without its cases: "tieout check --subject ./libmine.so --reference ./libother.so".
std::string check_command(const Finding& finding) {
  std::string command = "tieout check";
  if (!finding.subject.empty()) command += " --subject " + shell_word(finding.subject);
  if (!finding.reference.empty()) command += " --reference " + shell_word(finding.reference);
  return command;
}

}  // namespace

std::string replay_original(const Finding& finding) {
  return check_command(finding) + " " + shell_word(finding.original_line);
}

std::string replay_command(const Finding& finding) {
  if (finding.case_line.empty()) return {};
  std::string command = check_command(finding);
  for (const std::string& line : finding.before) command += " --before " + shell_word(line);
  return command + " " + shell_word(finding.case_line);
}

std::string difference_text(const Finding& finding) {
  if (!has_tensors(finding)) return printable(without_tensors_text(finding));
  const TensorMismatches d = compare_tensors(finding.expected, finding.actual);
  // This is not the sum of the differences, which the experiment prints and which is 0 where they cancel.
  return fmt::format("{} and {} differ at {} of {}, by up to {}", printable(finding.actual_name),
                     printable(finding.expected_name), grouped(std::ssize(d.offsets)), counted(d.elements, "element"),
                     d.largest);
}

std::string finding_text(const Finding& finding) {
  std::string text;
  const auto line = [&](const auto&... parts) { (text.append(parts), ...) += '\n'; };
  if (!finding.before.empty()) {
    line("only where the same process has run before it, in this order:");
    for (const std::string& before : finding.before) line("  ", printable(before));
  }
  if (!has_tensors(finding)) {
    line(difference_text(finding));
    if (!finding.case_line.empty()) line("replay: ", replay_command(finding));
    return text;
  }
  const TensorMismatches d = compare_tensors(finding.expected, finding.actual);
  const OutputType type = output_type(finding);
  const bool has_floats = has_float_output(finding);
  const auto tensor = [&](const Answers& answers) {
    return has_floats ? float_bits_text(answers) : output_text(answers, type);
  };
  line(printable(finding.expected_name), ":\n ", tensor(finding.expected));
  line(printable(finding.actual_name), ":\n ", tensor(finding.actual));
  line(difference_text(finding));
  if (!finding.cause.empty()) {
    const std::string derivation = reported_derivation(finding);
    const std::string more = derivation.empty() ? "" : " (" + printable(derivation) + ")";
    line(wrapped("cause: " + printable(kind_of(finding)) + more, kTextColumns, 2));
  } else if (is_guess(finding)) {
    line("cause: ", kUnexplained);
  } else if (!finding.mismatch_class.empty()) {
    const std::string derivation =
        finding.derivation.empty() ? std::string()
                                   : fmt::format(" ({}; that gives {} of the {} values)", printable(finding.derivation),
                                                 finding.explained, d.offsets.size());
    line(wrapped("class: " + printable(finding.mismatch_class) + derivation, kTextColumns, 2));
  }
  if (has_accumulators(finding)) {
    line(fmt::format("{:<20} {:>8} {:>8} {:>12} {:>16}", "index", "expected", "actual", "accumulator",
                     "before rounding"));
    for (const MismatchedElement& element : finding.elements) {
      line(fmt::format("{:<20} {:>8} {:>8} {:>12} {:>16}", index_text(element.offset, finding.expected.shape),
                       element.expected, element.actual, element.accumulator, float_text(element.scaled)));
    }
  } else {
    line(fmt::format("{:<20} {:>12} {:>12} {:>16}", "index", "expected", "actual", "before rounding"));
    const auto value = [&](std::int32_t stored) {
      return has_floats ? float_text(std::bit_cast<float>(stored)) : std::to_string(stored);
    };
    for (const MismatchedElement& element : finding.elements) {
      line(fmt::format("{:<20} {:>12} {:>12} {:>16}", index_text(element.offset, finding.expected.shape),
                       value(element.expected), value(element.actual), float_text(element.scaled)));
    }
  }
  if (finding.elements.size() < d.offsets.size()) {
    line(fmt::format("... and {} more", d.offsets.size() - finding.elements.size()));
  }
  line("replay: ", replay_command(finding));
  return text;
}

namespace {

// Formats the table in columns; the last column is not padded.
std::string table_text(const ReportedTable& table) {
  std::vector<std::size_t> widths(table.columns.size());
  const auto measure = [&](const std::vector<std::string>& cells) {
    for (std::size_t i = 0; i < cells.size(); ++i) widths[i] = std::max(widths[i], cells[i].size());
  };
  measure(table.columns);
  for (const auto& cells : table.rows) measure(cells);
  std::string text = table.title + "\n";
  const auto add = [&](const std::vector<std::string>& cells) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
      text += i + 1 < cells.size() ? fmt::format("{:<{}}  ", cells[i], widths[i]) : cells[i] + "\n";
    }
  };
  add(table.columns);
  for (const auto& cells : table.rows) add(cells);
  return text;
}

}  // namespace

std::string cause_head(const ReportedCause& cause, std::size_t number) {
  std::string text = wrapped(fmt::format("{}. {}", number, printable(cause.text)), kTextColumns, 3) + "\n";
  const auto line = [&](const std::string& words, std::size_t indent) {
    text += wrapped("   " + words, kTextColumns, indent) + "\n";
  };
  if (const std::string where = where_text(cause); !where.empty()) line(printable(where), 3);
  for (const std::string& changed : cause.diff) line(printable(changed), 9);
  for (const std::string& row : cause.picture) text += "   " + printable(row) + "\n";
  return text;
}

std::string where_text(const ReportedCause& cause) {
  if (!cause.condition.empty()) return "where " + cause.condition;
  return cause.diff.empty() ? "" : "always";
}

std::string smallest_text(const ReportedCause& cause) {
  // What a subject does beside its values has none.
  if (cause.expected == cause.actual) return "smallest case";
  return fmt::format("smallest case, expected {}, came {}", cause.expected, cause.actual);
}

std::string cause_end(const ReportedCause& cause) {
  if (cause.case_line.empty()) return {};
  return fmt::format("   {}:\n   {}\n", smallest_text(cause), printable(cause.replay));
}

std::string cause_text(const ReportedCause& cause, std::size_t number, std::int64_t differing) {
  std::string text = cause_head(cause, number);
  text += fmt::format("   explains {} of {} cases that differ\n", grouped(cause.cases), grouped(differing));
  if (cause.fresh > 0) text += wrapped("   " + proof_text(cause), kTextColumns, 3) + "\n";
  return text + cause_end(cause);
}

std::string causes_text(const Report& report) {
  const RunSummary& run = report.total;
  std::string text;
  for (std::size_t i = 0; i < run.causes.size(); ++i) {
    text += (text.empty() ? "" : "\n") + cause_text(run.causes[i], i + 1, run.cases.differed + run.cases.crashed);
  }
  return text;
}

std::string findings_text(const Report& report) {
  std::string text = causes_text(report);
  if (report.table) text += (text.empty() ? "" : "\n") + table_text(*report.table);
  for (const ReportedFinding& reported : report.findings) {
    text += (text.empty() ? "" : "\n") + finding_text(reported.finding);
  }
  return text;
}

}  // namespace tieout
