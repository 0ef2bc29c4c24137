#pragma once
// A finding as plain text: both tensors in the format of the experiment, how many elements differ, and underneath,
// element by element, where the difference comes from.

#include <string>

#include "cases/shell_word.h"
#include "reports/finding.h"
#include "reports/report.h"

namespace tieout {

[[nodiscard]] std::string finding_text(const Finding& finding);

// All of a report's, an empty line between them, behind its table if it has one.
[[nodiscard]] std::string findings_text(const Report& report);
// How large a finding is: "3 of 64 differ, by up to 1", "no answer to compare", or "differs; not described".
[[nodiscard]] std::string size_text(const Finding& finding);

// What is said in place of the tensors, where there are none: "scalar died: SIGSEGV", or that both answered and why the
// tensors are missing. "" where there are tensors.
[[nodiscard]] std::string without_tensors_text(const Finding& finding);

// "[0, 3, 1, 2]": the position of an element as its index in each dimension.
[[nodiscard]] std::string index_text(std::int64_t offset, const Shape& shape);

// The command that replays a case, ready to paste into a shell. subject: as --subject names it, or empty.
[[nodiscard]] std::string replay_command(const std::string& case_line, const std::string& subject = {});

// The command that replays a finding: with --before for each of the cases that run before it. Empty for a finding without a
// case, such as a fault that selftest missed.
[[nodiscard]] std::string replay_command(const Finding& finding);

}  // namespace tieout
