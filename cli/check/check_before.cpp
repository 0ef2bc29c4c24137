#include "cli/check/check_before.h"

#include <fmt/core.h>

#include <cstdio>

#include "cli/common/run_text.h"
#include "cli/common/terminal.h"
#include "props/campaign/campaign.h"
#include "props/findings/case_sequence.h"
#include "props/verify/run_head.h"
#include "reports/text/number_text.h"

namespace tieout {

tl::expected<std::vector<AnyCase>, std::string> parse_all(const std::vector<std::string>& lines) {
  std::vector<AnyCase> cases;
  for (const std::string& line : lines) {
    auto c = parse_any_case(line);
    if (!c) return tl::unexpected(c.error().text());
    cases.push_back(std::move(*c));
  }
  return cases;
}

tl::expected<RunSummary, std::string> check_after(const std::vector<AnyCase>& before, const AnyCase& c,
                                                  const std::string& command, const Reference& reference,
                                                  Subject* subject, const Rules& rules) {
  auto end = verify_after(before, c, {.reference = reference, .subject = subject, .rules = rules});
  if (!end) return tl::unexpected(std::string("the process ends at one of the cases before: check that one alone"));
  RunSummary run = run_of(command, reference, subject);
  count(run, end->outcome, "given");
  if (is_finding(end->outcome)) {
    print_finding(end->finding);
    run.findings.push_back(std::move(end->finding));
  } else if (end->outcome.status == Status::passed) {
    print_colored(Color::green, "equal");
    print_text(fmt::format(": {}, after {}\n", counted(end->outcome.elements, "element"),
                           counted(std::ssize(before), "other case")));
  } else {
    fmt::print(stderr, "tieout check: not verified: {}\n", end->outcome.reason);
  }
  return run;
}

}  // namespace tieout
