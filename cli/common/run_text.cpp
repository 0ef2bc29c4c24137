#include "cli/common/run_text.h"

#include <fmt/core.h>

#include "cases/strings/printable.h"
#include "cli/common/terminal.h"
#include "reports/formats/departure_text.h"
#include "reports/formats/finding_text.h"
#include "reports/text/number_text.h"
#include "reports/text/text_wrap.h"

namespace tieout {

void print_wrapped(const std::string& line) { print_text(wrapped(line, output_columns(), 4) + "\n"); }

void print_run_verdict(const Report& report, const std::string& prefix) {
  print_colored(color_of(exit_status(report)), wrapped(prefix + verdict(report), output_columns(), 4));
}

void print_finding(const Finding& finding) {
  const std::string text = finding_text(finding);
  const std::string difference = difference_text(finding);
  const std::size_t begin = text.find(difference);
  print_text(text.substr(0, begin));
  print_colored(Color::red, difference);
  print_text(text.substr(begin + difference.size()));
}

void print_causes(const Report& report) {
  if (report.total.causes.empty()) return;
  print_run_verdict(report);
  print_text(fmt::format(":\n{}\n", causes_text(report)));
}

void print_departures_and_reasons(const RunSummary& run, std::size_t most_reasons) {
  for (const std::string& sentence : departure_sentences(run)) print_wrapped("  " + sentence);
  std::size_t shown = 0;
  for (const auto& [reason, count] : run.reasons) {
    if (shown++ == most_reasons) break;
    print_wrapped(fmt::format("  not verified: {}: {}", counted(count, "case"), printable(reason)));
  }
  if (run.reasons.size() > most_reasons) {
    print_text(fmt::format("  ... and {} more reasons: a report has them all\n", run.reasons.size() - most_reasons));
  }
}

}  // namespace tieout
