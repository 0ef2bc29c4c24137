#include "reports/formats/github_annotations.h"

#include <fmt/core.h>

#include <algorithm>

#include "reports/formats/departure_text.h"
#include "reports/formats/finding_text.h"
#include "reports/text/escape.h"
#include "reports/text/number_text.h"

namespace tieout {
namespace {

constexpr std::int64_t kShown = 9;  // GitHub shows ten, and one is the verdict

// A command is a line, and its properties are separated by commas: characters that would end them are encoded as GitHub
// decodes them.
enum class CommandPart { message, property };

std::string encoded(const std::string& text, CommandPart part) {
  std::string result;
  for (const char c : legal_text(text)) {
    const bool special =
        c == '%' || c == '\r' || c == '\n' || (part == CommandPart::property && (c == ':' || c == ','));
    result += special ? fmt::format("%{:02X}", static_cast<unsigned char>(c)) : std::string(1, c);
  }
  return result;
}

std::string command(const char* level, const std::string& title, const std::string& message) {
  return fmt::format("::{} title={}::{}\n", level, encoded(title, CommandPart::property),
                     encoded(message, CommandPart::message));
}

std::string annotation(const ReportedFinding& reported) {
  const Finding& finding = reported.finding;
  const Cell& cell = finding.cell;
  const std::string title = fmt::format("{}: {}, {}, {}", kind_of(finding), cell.engine, cell.isa, cell.path);
  std::string message = size_and_derivation(finding);
  if (reported.known) message += "\nknown: " + reported.known->reason;
  return command(reported.known ? "warning" : "error", title, message + "\n" + replay_command(finding));
}

}  // namespace

std::string github_annotations(const Report& report) {
  std::string text = command(exit_status(report) == 0 ? "notice" : "error", "Tieout", verdict_with_departures(report));
  std::int64_t fresh = 0;
  std::int64_t known = 0;
  const RunSummary& total = report.total;
  for (std::size_t i = 0; i < total.causes.size(); ++i) {
    const bool accepted = is_known(report, total.causes[i]);
    std::int64_t& count = accepted ? known : fresh;
    if (++count > kShown) continue;
    text += command(accepted ? "warning" : "error", name_of(total.causes[i]),
                    cause_text(total.causes[i], i + 1, total.cases.differed + total.cases.crashed));
  }
  // The findings of a cause are in its annotation.
  for (const ReportedFinding& reported : report.findings) {
    if (has_cause(report, reported.finding)) continue;
    std::int64_t& count = reported.known ? known : fresh;
    if (++count <= kShown) text += annotation(reported);
  }
  const std::int64_t left_out = std::max<std::int64_t>(0, fresh - kShown) + std::max<std::int64_t>(0, known - kShown);
  if (left_out > 0) {
    text += command("notice", "Tieout",
                    fmt::format("{} not shown here: see the report",
                                counted(left_out, total.causes.empty() ? "finding" : "annotation")));
  }
  return text;
}

}  // namespace tieout
