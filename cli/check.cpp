#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <string>

#include "cases/case_text.h"
#include "cli/commands.h"
#include "oracle/libtorch.h"
#include "props/verify.h"
#include "reports/finding_text.h"

namespace tieout {
namespace {

int check(const std::string& line) {
  const auto c = parse(line);
  if (!c) {
    fmt::print(stderr, "tieout check: {}\n", c.error().text());
    return kBadUsage;
  }
  const auto reference = libtorch();
  if (!reference) {
    fmt::print(stderr, "tieout check: LibTorch cannot be loaded: {}\n", reference.error().message);
    return kNotVerified;
  }
  const Verdict verdict = verify_alone(*c, **reference);
  if (verdict.defect != nullptr) fmt::print("known defect {}: {}\n", verdict.defect->id, verdict.defect->cause);
  switch (verdict.status) {
    case Status::differed:
    case Status::crashed: fmt::print("{}", finding_text(verdict.finding)); return kDifferent;
    case Status::mistrusted:
    case Status::skipped:
    case Status::errored: fmt::print(stderr, "tieout check: not verified: {}\n", verdict.reason); return kNotVerified;
    case Status::passed: break;
  }
  fmt::print("equal: {} elements, {} path, computed by {}\n", verdict.elements, name(verdict.path),
             name(verdict.picked));
  return verdict.elements == 0 ? kNotVerified : kEqual;
}

}  // namespace

void add_check(CLI::App& app, int& exit_status) {
  auto* const command = app.add_subcommand("check", "Verify one case, given as its line of text");
  const auto line = std::make_shared<std::string>();
  command->add_option("case", *line, "The line that a finding was printed with, in quotes")->required();
  command->footer("The words of a case line: cases/case_text.h, and CASES in the README.");
  command->callback([line, &exit_status] { exit_status = check(*line); });
}

}  // namespace tieout
