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
  const Verdict verdict = verify(*c, **reference);
  switch (verdict.status) {
    case Verdict::Status::differed: fmt::print("{}", finding_text(verdict.finding)); return kDifferent;
    case Verdict::Status::skipped:
    case Verdict::Status::errored:
      fmt::print(stderr, "tieout check: not verified: {}\n", verdict.reason);
      return kNotVerified;
    case Verdict::Status::passed: break;
  }
  fmt::print("equal: {} elements, {} path\n", verdict.elements, name(verdict.path));
  return verdict.elements == 0 ? kNotVerified : kEqual;
}

}  // namespace

void add_check(CLI::App& app, int& exit_status) {
  auto* const command = app.add_subcommand("check", "Verify one case, given as its line of text");
  const auto line = std::make_shared<std::string>();
  command->add_option("case", *line, "The line that a finding was printed with, in quotes")->required();
  command->callback([line, &exit_status] { exit_status = check(*line); });
}

}  // namespace tieout
