#pragma once
// Formats findings as plain text: both tensors in the format of the experiment, the number of elements that differ, and
// for each of these where its difference comes from.

#include <string>

#include "cases/strings/shell_word.h"
#include "reports/data/finding.h"
#include "reports/data/report.h"

namespace tieout {

// Returns the text of one finding.
[[nodiscard]] std::string finding_text(const Finding& finding);

// Returns the sentence of this text that states the difference: "subject and LibTorch differ at 3 of 64 elements, by up
// to 1", or without_tensors_text().
[[nodiscard]] std::string difference_text(const Finding& finding);

// Returns a cause: its condition, the lines of C in which the subject differs, its share, its smallest case and its
// proof. number: its position in the list, from 1. differing: number of cases of the run that differ.
[[nodiscard]] std::string cause_text(const ReportedCause& cause, std::size_t number, std::int64_t differing);
// Return its beginning, which names the cause, and its end, which names the smallest case.
[[nodiscard]] std::string cause_head(const ReportedCause& cause, std::size_t number);
[[nodiscard]] std::string cause_end(const ReportedCause& cause);
// Return its condition, "where ..." or "always", which is empty if it is not about values; and what stands above its
// smallest case.
[[nodiscard]] std::string where_text(const ReportedCause& cause);
[[nodiscard]] std::string smallest_text(const ReportedCause& cause);

// Returns all causes of a report, separated by empty lines.
[[nodiscard]] std::string causes_text(const Report& report);

// Returns the causes, the report's table, if it has one, and the text of each finding, separated by empty lines.
[[nodiscard]] std::string findings_text(const Report& report);
// Returns the size of a finding: "3 of 64 differ, by up to 1", "no answer to compare", or "differs; not described".
[[nodiscard]] std::string size_text(const Finding& finding);

// Returns the size and, on a line of its own, where the difference comes from, if that is known.
[[nodiscard]] std::string size_and_derivation(const Finding& finding);

// Returns the text that replaces the tensors of a finding without any: "scalar died: SIGSEGV", or that both answered
// and why the tensors are missing. Empty if there are tensors.
[[nodiscard]] std::string without_tensors_text(const Finding& finding);

// Returns the proof of a cause: how many fresh cases it was tested on.
[[nodiscard]] std::string proof_text(const ReportedCause& cause);

// True if the finding's elements have accumulators: it is one of a convolution.
[[nodiscard]] bool has_accumulators(const Finding& finding);

// Returns the position of an element as its index in each dimension: "[0, 3, 1, 2]".
[[nodiscard]] std::string index_text(std::int64_t offset, const Shape& shape);

// Returns the command that replays the case of a finding as it was drawn, to be pasted into a shell.
[[nodiscard]] std::string replay_original(const Finding& finding);

// Returns the command that replays a finding, with --before for each case that runs before it. Empty for a finding
// without a case, such as a fault that selftest missed.
[[nodiscard]] std::string replay_command(const Finding& finding);

}  // namespace tieout
