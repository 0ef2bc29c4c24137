#include "props/diagnose/diagnosis_text.h"

#include <fmt/format.h>

#include "cases/strings/lines.h"
#include "cases/text/case_text.h"
#include "props/diagnose/emit_kernel.h"
#include "props/diagnose/tap_picture.h"
#include "reports/formats/finding_text.h"
#include "reports/text/number_text.h"

namespace tieout {
namespace {

using Verdict = Diagnosis::Verdict;

std::string ways(std::size_t count) { return count == 1 ? "one way" : fmt::format("{} ways", count); }

// Returns the command that verifies a case, or its length if it is too long for a line.
std::string check_line(const std::string& subject, const ConvCase& c) {
  const std::string line = shell_word(print(c));
  constexpr std::size_t kLongest = 2'000;
  if (line.size() > kLongest) return fmt::format("a case of {} characters", grouped(std::ssize(line)));
  return fmt::format("tieout check {} {}", subject, line);
}

}  // namespace

ReportedCause reported_cause(const Cause& cause, const Diagnosis& diagnosis, const std::string& subject) {
  return {.text = cause.edit.text(),
          .condition = cause.edit.condition.text(),
          .diff = split_lines(kernel_diff({cause.edit})),
          .picture = tap_picture({cause.edit}, cause.smallest, cause.offset),
          .case_line = print(cause.smallest),
          .replay = check_line(subject, cause.smallest),
          .expected = cause.expected,
          .actual = cause.actual,
          .fresh_differing = diagnosis.fresh_differing,
          .explains = cause.explains,
          .fresh = diagnosis.fresh,
          .predicted = diagnosis.predicted};
}

std::string headline_of(const Diagnosis& d) {
  if (d.interrupted) {
    return fmt::format("differed from the contract on {} of {} cases until it was interrupted; nothing is proven",
                       grouped(d.differing), grouped(d.cases));
  }
  const std::string fresh = fmt::format("{} of {} fresh cases", grouped(d.predicted), grouped(d.fresh));
  switch (d.verdict) {
    case Verdict::no_difference: return fmt::format("follows the contract on {}", fresh);
    case Verdict::explained:
      return fmt::format("differs from the contract in {}, which predicts {}", ways(d.causes.size()), fresh);
    case Verdict::partly:
      return fmt::format("differs from the contract; {} predicts {}, and the rest is unexplained",
                         ways(d.causes.size()), fresh);
    case Verdict::unexplained:
      return fmt::format("differs from the contract on {} of {} cases, by no cause that could be proven",
                         grouped(d.differing), grouped(d.cases));
    case Verdict::declines: break;
  }
  return fmt::format("answered {} of {} cases, too few for a diagnosis", grouped(d.cases),
                     grouped(d.cases + d.declined));
}

std::string causes_text(const Diagnosis& d) {
  std::string text;
  for (const Cause& cause : d.causes) {
    text += cause.edit.text();
    if (!cause.edit.condition.always()) text += fmt::format("\n  where {}", cause.edit.condition.text());
    text += "\n";
  }
  return text;
}

std::string diagnosis_text(const Diagnosis& d, const std::string& subject) {
  std::string text;
  for (std::size_t i = 0; i < d.causes.size(); ++i) {
    const ReportedCause cause = reported_cause(d.causes[i], d, subject);
    text += "\n" + cause_head(cause, i + 1);
    if (d.fresh > 0) {
      text += fmt::format("   explains {} of {} differing fresh cases\n", grouped(cause.explains),
                          grouped(d.fresh_differing));
    }
    text += cause_end(cause);
  }
  if (d.verdict == Verdict::declines || d.fresh == 0) return text;
  text += fmt::format("\nProof: predicts {} of {} fresh cases, {} of which differ from the contract.\n",
                      grouped(d.predicted), grouped(d.fresh), grouped(d.fresh_differing));
  if (d.overflowing > 0) {
    text += fmt::format(
        "{} of the others are wrong only where the multiplier, the bias or the value before rounding\n"
        "is beyond int32, which the model does not describe.\n",
        grouped(d.overflowing));
  }
  if (!d.left.empty()) {
    text += fmt::format("Not predicted: {}, such as\n", counted(d.fresh - d.predicted, "case"));
    for (const ConvCase& c : d.left) text += fmt::format("   {}\n", check_line(subject, c));
  }
  return text;
}

std::string conduct_text(const Conduct& conduct, const std::string& subject) {
  std::string text =
      fmt::format("{}\n   on {} of {} cases", conduct.text, grouped(conduct.failing), grouped(conduct.cases));
  if (!conduct.condition.empty()) text += fmt::format(", exactly where {}", conduct.condition);
  text += fmt::format("\n   smallest of them:\n   {}\n", check_line(subject, conduct.c));
  text += "Its values are not diagnosed, because they may depend on this. Correct it first.\n";
  return text;
}

}  // namespace tieout
