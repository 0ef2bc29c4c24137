#include "props/selftest.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "oracle/libtorch.h"
#include "props/data_policy.h"

namespace tieout {
namespace {

struct Arguments {
  SelftestOptions options;
  std::string only;  // a fault's name, or empty
  bool policies = false;
};

void print_hunt(const FaultyKernel& faulty, const Hunt& hunt) {
  fmt::print("{} {:<32} {:>6} cases {:>7.2f} s", hunt.found ? "found " : "missed", faulty.name, hunt.cases,
             hunt.seconds);
  if (hunt.found) {
    const Finding& finding = hunt.finding;
    fmt::print(" {:>5} elements  {}", hunt.size, finding.failure.empty() ? finding.diff_class : finding.failure);
  }
  fmt::print("\n");
  std::fflush(stdout);
}

// The kernel without a fault must pass, or finding the others proves nothing.
bool correct_passes(LibTorch& reference, SelftestOptions options) {
  options.cases = std::min<std::int64_t>(options.cases, 2'000);
  const auto subject = linked_subject("correct", correct_kernel, nullptr);
  const Hunt passed = hunt(*subject, reference, options);
  if (passed.found) {
    fmt::print(stderr,
               "tieout selftest: the kernel without a fault differs, so nothing can be said of the others:\n{}\n",
               passed.finding.case_line);
  }
  return !passed.found;
}

// Who notices what, as Markdown: the cases that it took.
int compare_policies(const Arguments& arguments, LibTorch& reference) {
  constexpr std::int64_t kCases = 200;  // what such a harness runs
  fmt::print("| fault |");
  for (const DataPolicy& policy : data_policies()) fmt::print(" {} |", policy.name);
  fmt::print(" Tieout |\n|---|");
  std::vector<int> found(data_policies().size() + 1);
  for (std::size_t i = 0; i < found.size(); ++i) fmt::print("--:|");
  fmt::print("\n");
  const auto note = [&](std::size_t column, std::int64_t cases) {
    found[column] += cases > 0 ? 1 : 0;
    fmt::print(" {} |", cases > 0 ? fmt::to_string(cases) : "");
    std::fflush(stdout);
  };
  for (const FaultyKernel& faulty : faulty_kernels()) {
    fmt::print("| {} |", faulty.name);
    const auto subject = linked_subject(std::string(faulty.name), faulty.kernel, nullptr);
    std::size_t column = 0;
    for (const DataPolicy& policy : data_policies()) {
      note(column++, cases_to_notice(policy, *subject, kCases, arguments.options.seed));
    }
    SelftestOptions options = arguments.options;
    options.shrink_seconds = 0;
    const Hunt hunted = hunt(*subject, reference, options);
    note(column, hunted.found ? hunted.cases : 0);
    fmt::print("\n");
  }
  fmt::print("| **found, of {}** |", faulty_kernels().size());
  for (const int count : found) fmt::print(" **{}** |", count);
  fmt::print("\n");
  return kEqual;
}

int selftest(const Arguments& arguments) {
  const auto faults = faulty_kernels();
  const auto wanted = [&](const FaultyKernel& f) { return arguments.only.empty() || f.name == arguments.only; };
  if (std::none_of(faults.begin(), faults.end(), wanted)) {
    fmt::print(stderr, "tieout selftest: --fault: there is none called '{}'; without it, all are listed\n",
               arguments.only);
    return kBadUsage;
  }
  const auto reference = libtorch(Waiting::asleep);
  if (!reference) {
    fmt::print(stderr, "tieout selftest: LibTorch cannot be loaded: {}\n", reference.error().message);
    return kNotVerified;
  }
  if (!correct_passes(**reference, arguments.options)) return kNotVerified;
  if (arguments.policies) return compare_policies(arguments, **reference);
  int found = 0;
  int planted = 0;
  for (const FaultyKernel& faulty : faults) {
    if (!wanted(faulty)) continue;
    if (is_right_here(faulty.fault, (*reference)->hardware())) {
      fmt::print("no fault here: {}: FBGEMM does the same on this CPU\n", faulty.name);
      continue;
    }
    const auto subject = linked_subject(std::string(faulty.name), faulty.kernel, nullptr);
    const Hunt result = hunt(*subject, **reference, arguments.options);
    print_hunt(faulty, result);
    ++planted;
    found += result.found ? 1 : 0;
  }
  fmt::print("{} of {} faults found\n", found, planted);
  return found == planted ? kEqual : kDifferent;
}

}  // namespace

void add_selftest(CLI::App& app, int& exit_status) {
  auto* const command =
      app.add_subcommand("selftest", "Plant faults in a correct kernel and hunt for each: is anything missed?");
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("--cases", arguments->options.cases, "At most, for each fault")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--seconds", arguments->options.seconds, "At most, for each fault")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--seed", arguments->options.seed, "Of the sequence of cases")->capture_default_str();
  command->add_option("--fault", arguments->only, "Only the one of this name");
  command->add_flag("--policies", arguments->policies,
                    "Instead: how many of 200 cases it takes the data of other harnesses to notice each fault");
  command->callback([arguments, &exit_status] { exit_status = selftest(*arguments); });
}

}  // namespace tieout
