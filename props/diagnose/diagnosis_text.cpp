#include "props/diagnose/diagnosis_text.h"

#include <fmt/core.h>

#include <algorithm>

#include "cases/strings/lines.h"
#include "cases/text/case_text.h"
#include "props/diagnose/emit_kernel.h"
#include "props/diagnose/tap_picture.h"
#include "reports/formats/finding_text.h"
#include "reports/text/number_text.h"
#include "reports/text/text_wrap.h"

namespace tieout {
namespace {

std::string ways(std::size_t count) { return count == 1 ? "one way" : fmt::format("{} ways", count); }

std::string predict(std::size_t ways) { return ways == 1 ? "predicts" : "predict"; }

// Returns how many cases were planned, if the time was up before; 0: it was not.
std::string early_end(std::int64_t planned) {
  return planned == 0 ? "" : fmt::format(" (of {}; the time was up)", grouped(planned));
}

// Returns on how many cases a subject does what it does: "40 of 91 cases".
std::string share_of(const Conduct& conduct) {
  return fmt::format("{} of {} cases{}", grouped(conduct.failing), grouped(conduct.cases), early_end(conduct.planned));
}

// Returns the number of fresh cases that the model predicts.
std::string predicted_text(const Diagnosis& d) {
  return fmt::format("{} of {} fresh cases{}", grouped(d.predicted), grouped(d.fresh), early_end(d.planned));
}

// Returns the lines of C in which the kernel differs. They compute an int8 output as uint8, too, and say so where they
// name the ends of the output.
std::vector<std::string> diff_of(const Cause& cause) {
  std::vector<std::string> diff = split_lines(kernel_diff({cause.edit}));
  const bool names_ends = std::ranges::any_of(diff, [](const std::string& line) {
    return line.find("low") != std::string::npos || line.find("high") != std::string::npos ||
           line.find("255") != std::string::npos;
  });
  if (cause.smallest.output_type == OutputType::int8 && names_ends) {
    diff.insert(diff.begin(), "  // the ends of the output are uint8's, 128 above int8's");
  }
  return diff;
}

}  // namespace

std::string before_words(const Conduct& conduct) {
  return conduct.before ? " --before " + shell_word(print(*conduct.before)) : "";
}

std::string check_line(const std::string& subject, const ConvCase& c) {
  const std::string line = shell_word(print(c));
  constexpr std::size_t kLongest = 2'000;
  if (line.size() > kLongest) return fmt::format("a case of {} characters", grouped(std::ssize(line)));
  return fmt::format("tieout check {} {}", subject, line);
}

ReportedCause reported_cause(const Cause& cause, const Diagnosis& diagnosis, const std::string& subject) {
  return {.text = cause.edit.text(),
          .condition = cause.edit.condition.text(),
          .diff = diff_of(cause),
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

std::string headline_of(const Diagnosis& d, std::string_view expected) {
  if (d.interrupted) {
    return fmt::format("differed from {} on {} of {} cases until it was interrupted; nothing is proven", expected,
                       grouped(d.differing), grouped(d.cases));
  }
  const std::string fresh = predicted_text(d);
  switch (d.verdict) {
    case Diagnosis::Verdict::no_difference: return fmt::format("follows {} on {}", expected, fresh);
    case Diagnosis::Verdict::explained:
      return fmt::format("differs from {} in {}, which {} {}", expected, ways(d.causes.size()),
                         predict(d.causes.size()), fresh);
    case Diagnosis::Verdict::partly:
      if (d.predicted + d.overflowing == d.fresh) {
        return fmt::format("differs from {} in {}, which {} {}; in the others, values overflow", expected,
                           ways(d.causes.size()), predict(d.causes.size()), fresh);
      }
      return fmt::format("differs from {}; {} {} {}, and the rest is unexplained", expected, ways(d.causes.size()),
                         predict(d.causes.size()), fresh);
    case Diagnosis::Verdict::unexplained:
      return fmt::format("differs from {} on {} of {} cases, by no cause that could be proven", expected,
                         grouped(d.differing), grouped(d.cases));
    case Diagnosis::Verdict::declines: break;
  }
  return fmt::format("answered {} of {} cases, too few for a diagnosis", grouped(d.cases),
                     grouped(d.cases + d.declined));
}

std::string headline_of(const Conduct& conduct) {
  return fmt::format("{} on {}; its values are not diagnosed", conduct.text, share_of(conduct));
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

std::string diagnosis_text(const Diagnosis& d, const std::string& subject, std::string_view expected) {
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
  if (d.verdict == Diagnosis::Verdict::declines || d.fresh == 0) return text;
  text += "\n" +
          wrapped(fmt::format("Proof: predicts {}, {} of which differ from {}.", predicted_text(d),
                              grouped(d.fresh_differing), expected)) +
          "\n";
  if (d.overflowing > 0) {
    text += wrapped(fmt::format("{} of the others are wrong only where the multiplier, the bias or the value before "
                                "rounding is beyond int32, which the model does not describe.",
                                grouped(d.overflowing))) +
            "\n";
  }
  if (!d.left.empty()) {
    text += fmt::format("Not predicted: {}, such as\n", counted(d.fresh - d.predicted, "case"));
    for (const ConvCase& c : d.left) text += fmt::format("   {}\n", check_line(subject, c));
  }
  return text;
}

std::string conduct_text(const Conduct& conduct, const std::string& name, const std::string& subject) {
  std::string share = fmt::format("   on {}", share_of(conduct));
  if (!conduct.condition.empty()) share += fmt::format(", exactly where {}", conduct.condition);
  const auto line = [](const std::string& words, std::size_t indent) {
    return wrapped(words, kTextColumns, indent) + "\n";
  };
  return line(name + ": " + conduct.text, 3) + line(share, 3) + "   smallest case:\n   " +
         check_line(subject + before_words(conduct), conduct.c) + "\n" +
         line("Its values are not diagnosed, because they may depend on this. Correct it first.", 0);
}

}  // namespace tieout
