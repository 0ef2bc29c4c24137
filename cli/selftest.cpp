#include "props/selftest/selftest.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cases/text/case_text.h"
#include "cli/common/command.h"
#include "cli/common/commands.h"
#include "cli/common/errors.h"
#include "cli/options/domain_option.h"
#include "cli/options/report_outputs.h"
#include "oracle/libtorch/libtorch.h"
#include "props/campaign/campaign.h"
#include "props/identify/operator_probes.h"
#include "props/selftest/data_policy.h"
#include "props/selftest/fault_diagnosis.h"
#include "props/selftest/operator_selftest.h"
#include "props/verify/run_head.h"
#include "reports/data/report.h"
#include "reports/formats/finding_text.h"
#include "reports/text/number_text.h"

namespace tieout {
namespace {

// Time limit of one answer of a faulty kernel, seconds.
constexpr double kPatience = 5;
// Maximum number of cases for each fault of an operator.
constexpr std::int64_t kOperatorProbes = 300;

struct SelftestArguments {
  SelftestOptions options;
  std::vector<std::string> only;  // names of the only faults to run; empty: all faults
  bool diagnose = false;
  bool policies = false;
  bool show_cases = false;
  std::vector<std::string> operators;
  DomainArguments domain;
  ReportOutputs outputs;
};

// The results of the diagnoses.
struct Diagnoses {
  // Numbers of faults of values, and of those whose causes predict every fresh case; of state and conduct, and of those
  // that are named.
  int values = 0, explained = 0, conduct = 0, named = 0;
  // Number of faults for which a cause was found that fresh cases refute.
  int refuted = 0;

  // True if at least 95 % of the faults of values are explained.
  [[nodiscard]] bool explains_enough() const { return explained * 100 >= values * 95; }

  [[nodiscard]] std::string text() const {
    return fmt::format(
        "{} of {} faults of values explained, {} of {} faults of state and conduct named, {} with a "
        "refuted cause",
        explained, values, named, conduct, refuted);
  }
};

// The results of all faults, for the report.
struct Faults {
  RunSummary run;
  ReportedTable table{
      .title = "Faults",
      .columns = {"fault", "found", "cases", "seconds", "activations and weights", "what is wrong", "case"},
      .rows = {}};
  int found = 0, planted = 0;
  Diagnoses diagnoses;
  bool diagnosed = false;

  // Adds the columns of the diagnoses.
  void diagnose() {
    diagnosed = true;
    for (const char* const column :
         {"diagnosis", "causes", "fresh cases", "predicted", "differing", "differing ones predicted"}) {
      table.columns.emplace_back(column);
    }
  }

  [[nodiscard]] std::string headline() const {
    return fmt::format("{} of {} faults found{}", found, planted, diagnosed ? "; " + diagnoses.text() : "");
  }
};

// Returns what is wrong with a kernel. The cause of wrong values is left to a diagnosis.
std::string what_is_wrong(const Finding& finding) {
  if (!finding.failure.empty()) return finding.failure;
  return is_guess(finding) ? "wrong values" : finding.mismatch_class;
}

void print_hunt(const FaultyKernel& faulty, const Hunt& hunt, bool show_case) {
  fmt::print("{} {:<32} {:>12} {:>7.2f} s", hunt.found ? "found " : "missed", faulty.name, counted(hunt.cases, "case"),
             hunt.seconds);
  if (hunt.found) {
    const Finding& finding = hunt.finding;
    fmt::print(" {:>14}  {}", counted(hunt.size, "element"), what_is_wrong(finding));
    if (show_case) fmt::print("\n  {}", finding.case_line);
  }
  fmt::print("\n");
  std::fflush(stdout);
}

Cell cell_of(const Faults& faults, const FaultyKernel& faulty) {
  return {.engine = "selftest", .isa = faults.run.machine.isa, .path = std::string(faulty.name)};
}

void add_finding(Faults& faults, const Cell& cell, std::string failure) {
  const Finding finding{
      .expected_name = "tieout", .failure = std::move(failure), .cell = cell, .index = faults.planted - 1};
  ++faults.run.differences[kind_of(finding)];
  faults.run.findings.push_back(finding);
}

// Adds the result of a fault: each fault counts as a case of the run, and a missed fault is a finding.
void add(Faults& faults, const FaultyKernel& faulty, const Hunt& hunt) {
  ++faults.planted;
  faults.found += hunt.found ? 1 : 0;
  const Finding& finding = hunt.finding;
  faults.table.rows.push_back({std::string(faulty.name), hunt.found ? "yes" : "no", std::to_string(hunt.cases),
                               fmt::format("{:.2f}", hunt.seconds), hunt.found ? std::to_string(hunt.size) : "",
                               what_is_wrong(finding), finding.case_line});
  RunSummary& run = faults.run;
  run.seconds += hunt.seconds;
  ++(hunt.found ? run.cases.passed : run.cases.differed);
  const Cell cell = cell_of(faults, faulty);
  run.cells[cell] = {.cases = 1, .elements = hunt.cases, .differed = hunt.found ? 0 : 1};
  if (!hunt.found) add_finding(faults, cell, fmt::format("missed the planted fault {}", faulty.name));
}

std::string_view name(FaultDiagnosis::Outcome outcome) {
  switch (outcome) {
    case FaultDiagnosis::Outcome::explained: return "explained";
    case FaultDiagnosis::Outcome::partly: return "explained in part";
    case FaultDiagnosis::Outcome::unexplained: return "unexplained";
    case FaultDiagnosis::Outcome::named: return "named";
    case FaultDiagnosis::Outcome::misnamed: return "not named";
    case FaultDiagnosis::Outcome::ended: break;
  }
  return "not diagnosed";
}

void print_diagnosis(const FaultDiagnosis& diagnosis) {
  fmt::print("  {} in {:.0f} s", name(diagnosis.outcome), diagnosis.seconds);
  if (diagnosis.fresh > 0) {
    fmt::print("; {} of {} fresh cases predicted, {} of {} differing ones", diagnosis.predicted, diagnosis.fresh,
               diagnosis.differing_predicted, diagnosis.differing);
  }
  fmt::print("\n");
  std::istringstream causes(diagnosis.causes);
  for (std::string line; std::getline(causes, line);) fmt::print("    {}\n", line);
  if (diagnosis.refuting > 0) fmt::print("    refuted by {} fresh cases\n", diagnosis.refuting);
  std::fflush(stdout);
}

// Adds the diagnosis of the fault that was added last, whose row it completes. A refuted cause is a finding.
void add(Faults& faults, const FaultyKernel& faulty, const FaultDiagnosis& diagnosis) {
  Diagnoses& counts = faults.diagnoses;
  if (faulty.named.empty()) {
    ++counts.values;
    counts.explained += is_right(diagnosis) ? 1 : 0;
  } else {
    ++counts.conduct;
    counts.named += is_right(diagnosis) ? 1 : 0;
  }
  const auto of_values = [&](std::int64_t number) {
    return diagnosis.fresh > 0 ? std::to_string(number) : std::string();
  };
  std::vector<std::string>& row = faults.table.rows.back();
  row.insert(row.end(), {std::string(name(diagnosis.outcome)), diagnosis.causes, of_values(diagnosis.fresh),
                         of_values(diagnosis.predicted), of_values(diagnosis.differing),
                         of_values(diagnosis.differing_predicted)});
  faults.run.seconds += diagnosis.seconds;
  if (diagnosis.refuting == 0) return;
  ++counts.refuted;
  add_finding(faults, cell_of(faults, faulty),
              fmt::format("a cause that was found for the planted fault {} is refuted by fresh cases", faulty.name));
}

std::string selftest_command_line(const SelftestArguments& arguments) {
  const SelftestOptions& options = arguments.options;
  std::string command =
      fmt::format("tieout selftest --cases {} --seconds {} --seed {}", options.cases, options.seconds, options.seed);
  if (arguments.diagnose) command += " --diagnose";
  if (!arguments.only.empty()) command += " --fault " + shell_word(fmt::format("{}", fmt::join(arguments.only, ",")));
  return command;
}

// Returns true if the kernel without a fault passes; if it differs, finding the faults proves nothing.
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

// Prints a Markdown table: for each fault the number of cases that the data of each harness needs to detect it.
int compare_policies(const SelftestArguments& arguments, LibTorch& reference) {
  constexpr std::int64_t kCases = 200;  // the number of cases that such a harness runs
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

DiagnoseOptions diagnose_options(const SelftestArguments& arguments) {
  DiagnoseOptions options;
  options.seed = arguments.options.seed;
  options.proof = 2'000;
  options.domain = arguments.options.domain;
  return options;
}

bool is_wanted(const FaultyKernel& faulty, const SelftestArguments& arguments) {
  return arguments.only.empty() || std::ranges::find(arguments.only, faulty.name) != arguments.only.end();
}

// Returns why the arguments cannot be combined; empty if they can.
std::string contradiction_in(const SelftestArguments& arguments) {
  const auto is_of_operators = [](const std::string& name) {
    return std::ranges::find(faulty_operators(), name, &FaultyOperator::name) != faulty_operators().end();
  };
  for (const std::string& name : arguments.only) {
    if (!arguments.operators.empty() && is_of_operators(name)) continue;
    if (std::ranges::find(faulty_kernels(), name, &FaultyKernel::name) != faulty_kernels().end()) continue;
    return "--fault: there is none called '" + name + "'; without it, all are listed";
  }
  if (arguments.policies && arguments.diagnose) {
    return "--policies measures other harnesses, which diagnose nothing; leave out --diagnose";
  }
  if (arguments.policies && has_outputs(arguments.outputs)) {
    return "--policies prints a table of its own; leave out the options of the reports";
  }
  if (!arguments.operators.empty() && has_outputs(arguments.outputs)) {
    return "--operator prints a list of its own; leave out the options of the reports";
  }
  return {};
}

// Hunts for all wanted faults, prints the results and adds them to `faults`.
void hunt_all(Faults& faults, const SelftestArguments& arguments, LibTorch& reference) {
  if (arguments.diagnose) faults.diagnose();
  for (const FaultyKernel& faulty : faulty_kernels()) {
    if (!is_wanted(faulty, arguments)) continue;
    if (is_right_here(faulty.fault, reference.hardware())) {
      fmt::print("no fault here: {}: FBGEMM does the same on this CPU\n", faulty.name);
      continue;
    }
    const auto subject = linked_subject(std::string(faulty.name), faulty.kernel, nullptr);
    const Hunt result = hunt(*subject, reference, arguments.options);
    print_hunt(faulty, result, arguments.show_cases);
    add(faults, faulty, result);
    if (!arguments.diagnose) continue;
    std::optional<ConvCase> shown;
    if (const auto drawn = parse(result.finding.original_line); result.found && drawn) shown = *drawn;
    const FaultDiagnosis diagnosis = diagnose_fault(faulty, diagnose_options(arguments), kPatience, shown);
    print_diagnosis(diagnosis);
    add(faults, faulty, diagnosis);
  }
}

// Returns the operators of that name, or all of them for "all"; none if there is none.
std::vector<const OperatorSchema*> operators_of(const std::vector<std::string>& names) {
  std::vector<const OperatorSchema*> found;
  for (const OperatorSchema* const schema : operator_schemas()) {
    const bool is_named = std::ranges::find(names, schema->name) != names.end();
    if (is_named || std::ranges::find(names, "all") != names.end()) found.push_back(schema);
  }
  return found;
}

// Plants the faults of operators, identifies the arithmetic of each faulty kernel, and prints both.
int selftest_operators(const SelftestArguments& arguments) {
  for (const std::string& name : arguments.operators) {
    if (operators_of({name}).empty()) {
      return fail_command("selftest", kBadUsage,
                          "--operator: there is no operator '" + name + "'; see `tieout help operators`");
    }
  }
  int planted = 0;
  int named = 0;
  for (const OperatorSchema* const schema : operators_of(arguments.operators)) {
    const std::vector<OperatorCase> probes =
        operator_probes(*schema, arguments.options.seed, std::min(arguments.options.cases, kOperatorProbes));
    for (const FaultyOperator& faulty : faulty_operators()) {
      const bool is_chosen =
          arguments.only.empty() || std::ranges::find(arguments.only, faulty.name) != arguments.only.end();
      if (!is_chosen || !applies(faulty, *schema)) continue;
      const OperatorHunt found = hunt_operator(faulty, probes);
      ++planted;
      named += is_right(found, faulty) ? 1 : 0;
      std::vector<std::string> alike;
      for (const OperatorVariant& variant : found.alike) alike.push_back(variant.name);
      fmt::print("{} {:<18}{:<38} found by case {:>3}, named by case {:>3}{}{}\n",
                 is_right(found, faulty) ? "named " : "missed", schema->name, faulty.name, found.found, found.named,
                 alike.empty() ? "" : "; alike: ", fmt::join(alike, ", "));
      std::fflush(stdout);
    }
  }
  if (planted == 0) return fail_command("selftest", kBadUsage, "--fault: the operators do not have this fault");
  fmt::print("{} of {} faults of operators found and named\n", named, planted);
  return named == planted ? kEqual : kDifferent;
}

int selftest(SelftestArguments& arguments) {
  const auto domain = choose_domain(arguments.domain, nullptr, 0, "selftest");
  if (!domain) return domain.error();
  arguments.options.domain = *domain;
  if (const std::string why = contradiction_in(arguments); !why.empty()) {
    return fail_command("selftest", kBadUsage, why);
  }
  if (!arguments.operators.empty()) return selftest_operators(arguments);
  const auto baseline = prepare_reports(arguments.outputs);
  if (!baseline) return fail_command("selftest", kBadUsage, baseline.error());
  const auto reference = load_libtorch("selftest", Waiting::asleep);
  if (!reference) return reference.error();
  if (!correct_passes(**reference, arguments.options)) return kNotVerified;
  if (arguments.policies) return compare_policies(arguments, **reference);
  Faults reported;
  reported.run = RunSummary{.command = selftest_command_line(arguments),
                            .subject = "planted faults",
                            .reference = "LibTorch " + (*reference)->version(),
                            .machine = machine_of(**reference),
                            .seed = arguments.options.seed};
  hunt_all(reported, arguments, **reference);
  fmt::print("{}\n", reported.headline());
  Report report = make_report({reported.run}, *baseline);
  report.table = reported.table;
  report.headline = reported.headline();
  if (const auto written = write_reports(arguments.outputs, report); !written) {
    return fail_command("selftest", kNotVerified, written.error());
  }
  if (reported.planted == 0) return kEqual;  // the requested fault is none on this CPU
  if (!reported.diagnoses.explains_enough()) return kDifferent;
  return exit_status(report);
}

}  // namespace

Command selftest_command() {
  Command command{.name = "selftest",
                  .description = "Plant faults in a correct kernel and hunt for each: is anything missed?"};
  const auto arguments = std::make_shared<SelftestArguments>();
  command.option("--cases", &arguments->options.cases, "Maximum number of cases for each fault",
                 {.check = positive_whole_number(), .show_default = true});
  command.option("--seconds", &arguments->options.seconds, "Maximum time for each fault, seconds",
                 {.check = positive_number(), .show_default = true});
  command.option("--seed", &arguments->options.seed, "Seed of the sequence of cases", {.show_default = true});
  command.option("--fault", &arguments->only, "Plant only the faults with these names, separated by commas",
                 {.proposals = names_of(faulty_kernels()), .delimiter = ','});
  command.option("--diagnose", &arguments->diagnose,
                 "Diagnose each fault as well, and check its causes on 2,000 fresh cases: half a minute for each");
  command.option("--show-cases", &arguments->show_cases, "Print the smallest case that shows each fault");
  add_where_option(command, arguments->domain);
  command.option("--policies", &arguments->policies,
                 "Measure instead how many of 200 cases the data of other harnesses need to find each fault");
  command.option("--operator", &arguments->operators,
                 "Plant faults in this operator instead, at most 300 cases each, and identify the arithmetic of each "
                 "faulty kernel; all for every operator; can be repeated",
                 {.type = "NAME", .excludes = {"--diagnose", "--policies", "--where"}, .one_value = true});
  add_report_options(command, arguments->outputs);
  command.run = [arguments] { return selftest(*arguments); };
  return command;
}

}  // namespace tieout
