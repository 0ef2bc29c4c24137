#pragma once
// Defines a cause of differences: what a subject computes in another way than its contract, as a diagnosis has proven
// it by a model that predicts the subject's output.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tieout {

// The name of differences for which no cause is proven, where causes are counted.
inline constexpr std::string_view kUnexplained = "unexplained";

struct ReportedCause {
  std::string text;       // "rounding: floorf(s + 0.5F): ties up, and the addition rounds"
  std::string condition;  // "K >= 9 and k >= K / 8 * 8"; empty: always
  // The lines of C in which a kernel with this cause differs from the contract's; they begin with "- " and "+ ",
  // comments on both with blanks.
  std::vector<std::string> diff;
  // Which taps of the window of one element are read, one line per row; empty if the cause does not concern them.
  std::vector<std::string> picture;
  std::string case_line;  // the smallest case that shows it
  std::string replay;     // the command that verifies this case
  // Output units, of the first element of that case that shows it; equal if the cause is not about values but what the
  // subject does beside them, such as a crash.
  int expected = 0, actual = 0;
  // Number of cases of the run that differ and that this cause explains: the model predicts every element of them, and
  // without this cause it does not.
  std::int64_t cases = 0;
  // Of the proof: numbers of fresh cases that differ, of those of them that this cause explains, of all, and of those
  // that the model with all causes predicts.
  std::int64_t fresh_differing = 0, explains = 0, fresh = 0, predicted = 0;

  bool operator==(const ReportedCause&) const = default;
};

// The cause of findings at which the subject follows the contract and the reference does not.
inline constexpr std::string_view kReferenceDeparts =
    "the reference departs from the contract, and the subject follows it";

// Returns the name of a cause: "TEXT, where CONDITION", or only the text.
[[nodiscard]] std::string cause_name(std::string_view text, std::string_view condition);
[[nodiscard]] inline std::string name_of(const ReportedCause& cause) { return cause_name(cause.text, cause.condition); }

}  // namespace tieout
