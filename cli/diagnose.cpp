#include "props/diagnose/diagnose.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <optional>
#include <string>

#include "cases/machine/cpu_name.h"
#include "cases/strings/printable.h"
#include "cases/text/case_text.h"
#include "cli/common/command.h"
#include "cli/common/commands.h"
#include "cli/common/errors.h"
#include "cli/common/interruption.h"
#include "cli/common/stage_line.h"
#include "cli/common/terminal.h"
#include "cli/options/domain_option.h"
#include "cli/options/report_outputs.h"
#include "cli/options/seed.h"
#include "cli/options/subject_option.h"
#include "kernels/subject/subject.h"
#include "props/diagnose/conduct.h"
#include "props/diagnose/diagnosis_text.h"
#include "props/diagnose/emit_kernel.h"
#include "reports/formats/finding_text.h"

namespace tieout {
namespace {

struct Arguments {
  std::string subject;
  std::string reference;  // empty: none
  std::string emit;
  DiagnoseOptions options;
  DomainArguments domain;
  std::optional<double> patience;  // seconds
  ReportOutputs outputs;
};

int fail(const std::string& why, int status = kBadUsage) { return fail_command("diagnose", status, why); }

ReportedTable table_of(const Diagnosis& diagnosis) {
  ReportedTable table{.title = "Causes",
                      .columns = {"cause", "where", "difference from the contract's kernel", "explains", "expected",
                                  "actual", "smallest case"},
                      .rows = {}};
  for (const Cause& cause : diagnosis.causes) {
    table.rows.push_back({cause.edit.text(), cause.edit.condition.always() ? "always" : cause.edit.condition.text(),
                          kernel_diff({cause.edit}), fmt::format("{} of {}", cause.explains, diagnosis.fresh_differing),
                          std::to_string(cause.expected), std::to_string(cause.actual), print(cause.smallest)});
  }
  return table;
}

Report report_of(const Arguments& arguments, const Diagnosis& diagnosis, const std::vector<KnownFinding>& baseline) {
  RunSummary run{.command = fmt::format("tieout diagnose --subject {} --seed {}{}", shell_word(arguments.subject),
                                        arguments.options.seed, words_of(arguments.options.domain)),
                 .subject = arguments.subject,
                 .reference = "the contract",
                 .machine = {.cpu = cpu_name()},
                 .seed = arguments.options.seed};
  run.cases.passed = diagnosis.fresh;
  run.cases.skipped = diagnosis.declined;
  run.seconds = diagnosis.seconds;
  run.cells[{.engine = "contract", .isa = "native", .path = "all"}] = {.cases = diagnosis.fresh};
  Report report = make_report({run}, baseline);
  report.table = table_of(diagnosis);
  report.headline = headline_of(diagnosis);
  return report;
}

// Returns whether the kernel could be written.
bool emit(const Arguments& arguments, const Diagnosis& diagnosis, const std::string& name) {
  std::ofstream file(arguments.emit);
  const std::string note = fmt::format("It computes what {} computes: it {}.\n{}", name, headline_of(diagnosis),
                                       diagnosis.causes.empty() ? "" : "\n" + causes_text(diagnosis));
  file << emit_kernel(diagnosis.model, printable_lines(note));
  file.close();
  return file.good();
}

int status_of(const Diagnosis& diagnosis) {
  switch (diagnosis.verdict) {
    case Diagnosis::Verdict::no_difference: return kEqual;
    case Diagnosis::Verdict::declines: return kNotVerified;
    default: return kDifferent;
  }
}

// Diagnoses one kernel and prints the result. words: the option that names it, for the commands that are printed.
// Error: the exit status, after the reason or what the kernel does beside its values has been printed.
tl::expected<Diagnosis, int> diagnose_and_print(Subject& subject, const Arguments& arguments,
                                                const std::string& words) {
  const double seconds = arguments.patience.value_or(Rules{}.seconds);
  const auto conduct = find_conduct(subject, arguments.options, seconds);
  if (conduct) {
    clear_stage();
    print_text(fmt::format("{}: {}", subject.name(), conduct_text(*conduct, words)));
    return tl::unexpected(int{kDifferent});
  }
  Diagnosis diagnosis = diagnose(answers_of(subject, seconds), arguments.options);
  clear_stage();
  if (const std::string change = subject.change(); !change.empty()) {
    return tl::unexpected(fail(words.substr(0, words.find(' ')) + ": " + change, kNotVerified));
  }
  print_text(fmt::format("{} {}\n{}", subject.name(), headline_of(diagnosis), diagnosis_text(diagnosis, words)));
  return diagnosis;
}

// Prints the causes that only one of two kernels has. Returns the exit status.
int compare_causes(const Diagnosis& subject, const std::string& name, const Diagnosis& other,
                   const std::string& other_name) {
  std::string text;
  const auto add = [&](const Diagnosis& from, const std::string& from_name, const Diagnosis& to) {
    for (const Cause& cause : from.causes) {
      const auto same = [&](const Cause& c) { return c.edit == cause.edit; };
      if (std::ranges::any_of(to.causes, same)) continue;
      const EditCondition& condition = cause.edit.condition;
      text += fmt::format("  only {}: {}{}\n", from_name, cause.edit.text(),
                          condition.always() ? "" : ", where " + condition.text());
    }
  };
  add(subject, name, other);
  add(other, other_name, subject);
  const auto is_known = [](const Diagnosis& d) {
    return d.verdict == Diagnosis::Verdict::no_difference || d.verdict == Diagnosis::Verdict::explained;
  };
  const bool known = is_known(subject) && is_known(other);
  if (text.empty()) {
    print_text(fmt::format("\n{} and {}: {}\n", name, other_name,
                           known ? "the same arithmetic" : "the same causes, but not all differences are explained"));
    return known ? kEqual : kDifferent;
  }
  print_text(fmt::format("\n{} and {} differ from each other:\n{}", name, other_name, text));
  return kDifferent;
}

// Diagnoses the reference as well, and prints in what the two differ.
int diagnose_reference(const Arguments& arguments, const Diagnosis& diagnosis, const std::string& name) {
  const auto opened = open_named(arguments.reference, "diagnose", arguments.patience, "--reference");
  if (!opened) return opened.error();
  print_text("\n");
  const auto other = diagnose_and_print(**opened, arguments, "--subject " + shell_word(arguments.reference));
  if (!other) return other.error();
  return compare_causes(diagnosis, name, *other, (*opened)->name());
}

int run_diagnose(Arguments& arguments) {
  CallFiles files;
  add_subject_file(files, arguments.subject);
  add_subject_file(files, arguments.reference, "--reference");
  if (!arguments.emit.empty()) files.add_output("--emit", arguments.emit);
  const auto baseline = prepare_reports(arguments.outputs, std::move(files));
  if (!baseline) return fail(baseline.error());
  const auto subject = open_named(arguments.subject, "diagnose", arguments.patience);
  if (!subject) return subject.error();
  const auto domain =
      choose_domain(arguments.domain, subject->get(), arguments.patience.value_or(Rules{}.seconds), "diagnose");
  if (!domain) return domain.error();
  arguments.options.domain = *domain;
  arguments.options.progress = [](const std::string& stage, std::int64_t done, std::int64_t of) {
    show_stage(stage, done, of);
    return !is_interrupted();
  };
  take_interruptions();
  const auto diagnosis = diagnose_and_print(**subject, arguments, "--subject " + shell_word(arguments.subject));
  if (!diagnosis) return diagnosis.error();
  const auto written = write_reports(arguments.outputs, report_of(arguments, *diagnosis, *baseline));
  if (!written) return fail(written.error(), kNotVerified);
  if (!arguments.emit.empty()) {
    if (!emit(arguments, *diagnosis, (*subject)->name())) {
      return fail("--emit: cannot write " + arguments.emit, kNotVerified);
    }
    print_text(
        fmt::format("\n{} holds a kernel in C that computes the same. It differs from the contract's kernel by:\n{}",
                    arguments.emit, kernel_diff(diagnosis->model, 1)));
  }
  if (is_interrupted()) return kNotVerified;
  if (!arguments.reference.empty()) return diagnose_reference(arguments, *diagnosis, (*subject)->name());
  return status_of(*diagnosis);
}

}  // namespace

Command diagnose_command() {
  Command command{
      .name = "diagnose",
      .description =
          "Find out why a kernel differs: which lines of the contract it computes in another way, and proof"};
  const auto arguments = std::make_shared<Arguments>();
  command.option("--subject", &arguments->subject,
                 "Kernel to diagnose: a shared library that exports what tieout_kernel.h declares, command:LINE, or "
                 "hypothesis:NAME",
                 {.required = true, .is_path = true});
  command.option("--reference", &arguments->reference,
                 "Kernel to diagnose as well; then the causes that only one of the two has are printed",
                 {.is_path = true});
  command.option("--emit", &arguments->emit, "File for a C kernel that computes what was diagnosed", {.type = "FILE"});
  command.option("--cases", &arguments->options.cases, "Maximum number of cases of the search",
                 {.check = positive_whole_number(), .show_default = true});
  command.option("--proof", &arguments->options.proof, "Number of fresh cases of the proof",
                 {.check = positive_whole_number(), .show_default = true});
  command.option("--seconds", &arguments->options.seconds, "Time limit of the search, seconds",
                 {.check = positive_number(), .show_default = true});
  command.option("--seed", &arguments->options.seed, "Seed of the cases", {.show_default = true});
  add_where_option(command, arguments->domain);
  add_patience(command, arguments->patience, Rules{}.seconds);
  add_report_options(command, arguments->outputs);
  command.run = [arguments] { return run_diagnose(*arguments); };
  return command;
}

}  // namespace tieout
