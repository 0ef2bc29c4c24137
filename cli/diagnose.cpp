#include "props/diagnose/diagnose.h"

#include <fmt/core.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <optional>
#include <string>

#include "cases/machine/cpu_name.h"
#include "cases/strings/printable.h"
#include "cases/text/case_text.h"
#include "cases/text/case_words.h"
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
#include "oracle/libtorch/libtorch.h"
#include "props/diagnose/conduct.h"
#include "props/diagnose/diagnosis_report.h"
#include "props/diagnose/diagnosis_text.h"
#include "props/diagnose/emit_kernel.h"
#include "props/diagnose/engine_answers.h"
#include "props/explain/explain.h"
#include "props/verify/engine_subject.h"
#include "reports/formats/finding_text.h"
#include "reports/text/text_wrap.h"

namespace tieout {
namespace {

struct DiagnoseArguments {
  std::string subject;
  std::string reference;  // empty: none
  std::string emit;
  DiagnoseOptions options;
  DomainArguments domain;
  std::optional<double> patience;  // seconds
  ReportOutputs outputs;
};

int fail_diagnosis(const std::string& why, int status = kBadUsage) { return fail_command("diagnose", status, why); }

constexpr std::string_view kPredicted = "the arithmetic that is predicted for it";

// What is found of one kernel: what it does beside its values, or else the diagnosis of these.
struct Found {
  std::optional<Conduct> conduct;
  Diagnosis diagnosis;
  // Of an engine of LibTorch, which is diagnosed where it does not follow its own arithmetic.
  std::optional<EngineTally> engine;

  [[nodiscard]] std::string_view expected() const { return engine ? kPredicted : kTheContract; }
};

// Returns the answers that are diagnosed.
KernelAnswer diagnosed_answers(Subject& subject, const std::string& text, double seconds, Found& found) {
  KernelAnswer answers = answers_of(subject, seconds);
  if (!text.starts_with(kEnginePrefix)) return answers;
  const auto engine = from_name<Engine>("engine", text.substr(kEnginePrefix.size()));
  const auto loaded = libtorch(Waiting::asleep);
  if (!engine || !loaded) return answers;  // the subject then answers nothing
  found.engine.emplace();
  return beyond_prediction(std::move(answers), *engine, **loaded, *found.engine);
}

std::string diagnose_command_line(const DiagnoseArguments& arguments) {
  const DiagnoseOptions standard;
  const DiagnoseOptions& options = arguments.options;
  std::string command =
      fmt::format("tieout diagnose --subject {} --seed {}", shell_word(arguments.subject), options.seed);
  if (options.cases != standard.cases) command += fmt::format(" --cases {}", options.cases);
  if (options.proof != standard.proof) command += fmt::format(" --proof {}", options.proof);
  if (options.seconds != standard.seconds) command += fmt::format(" --seconds {}", options.seconds);
  return command + words_of(options.domain);
}

Report report_of_diagnosis(const DiagnoseArguments& arguments, const Found& found, Subject& subject,
                           const std::vector<KnownFinding>& baseline) {
  Found again;  // the findings' answers do not count

  RunSummary run{.command = diagnose_command_line(arguments),
                 .subject = arguments.subject,
                 .reference = std::string(found.expected()),
                 .machine = {.cpu = cpu_name()},
                 .seed = arguments.options.seed,
                 .finished = !is_interrupted()};
  const DiagnosedSubject named{arguments.subject, subject.name()};
  if (found.conduct) {
    set_conduct(run, *found.conduct, named);
  } else {
    const double seconds = arguments.patience.value_or(Rules{}.seconds);
    set_diagnosis(run, found.diagnosis, diagnosed_answers(subject, arguments.subject, seconds, again), named);
  }
  for (Finding& finding : run.findings) finding.explanation = explanation_of(finding);
  Report report = make_report({run}, baseline);
  report.headline = found.conduct ? headline_of(*found.conduct) : headline_of(found.diagnosis, found.expected());
  return report;
}

// Returns whether the kernel could be written.
bool emit(const DiagnoseArguments& arguments, const Diagnosis& diagnosis, const std::string& name) {
  std::ofstream file(arguments.emit);
  const std::string note = fmt::format("It computes what {} computes: it {}.\n{}", name, headline_of(diagnosis),
                                       diagnosis.causes.empty() ? "" : "\n" + causes_text(diagnosis));
  file << emit_kernel(diagnosis.model, printable_lines(note));
  file.close();
  return file.good();
}

// Returns the exit status. Causes that the baseline accepts do not count.
int status_of(const Diagnosis& diagnosis, const Report& report) {
  switch (diagnosis.verdict) {
    case Diagnosis::Verdict::no_difference: return kEqual;
    case Diagnosis::Verdict::declines: return kNotVerified;
    default: break;
  }
  const bool known = !report.findings.empty() && report.new_findings() == 0 && new_differences(report) <= 0;
  return known ? kEqual : kDifferent;
}

Color color_of(Diagnosis::Verdict verdict) {
  switch (verdict) {
    case Diagnosis::Verdict::no_difference: return Color::green;
    case Diagnosis::Verdict::declines: return Color::yellow;
    default: return Color::red;
  }
}

// Diagnoses one kernel and prints the result. text: the value of the option that names it. words: the option that names
// it, for the commands that are printed. Error: the exit status, after the reason has been printed.
tl::expected<Found, int> diagnose_and_print(Subject& subject, const DiagnoseArguments& arguments,
                                            const std::string& text, const std::string& words) {
  const double seconds = arguments.patience.value_or(Rules{}.seconds);
  Found found{.conduct = find_conduct(subject, arguments.options, seconds), .diagnosis = {}, .engine = {}};
  if (!found.conduct) found.diagnosis = diagnose(diagnosed_answers(subject, text, seconds, found), arguments.options);
  clear_stage();
  if (const std::string change = subject.change(); !change.empty()) {
    return tl::unexpected(fail_diagnosis(words.substr(0, words.find(' ')) + ": " + change, kNotVerified));
  }
  if (found.conduct) {
    print_text(conduct_text(*found.conduct, subject.name(), words));
  } else {
    print_colored(color_of(found.diagnosis.verdict),
                  wrapped(fmt::format("{} {}", subject.name(), headline_of(found.diagnosis, found.expected()))));
    print_text("\n" + diagnosis_text(found.diagnosis, words, found.expected()) +
               (found.engine ? departures_text(*found.engine) : ""));
  }
  return found;
}

// The comparison of two kernels.
struct Comparison {
  int status;        // exit status
  std::string text;  // for the headline of the report: "the same arithmetic as libother.so"
};

// Prints the causes that only one of two kernels has.
Comparison compare_causes(const Diagnosis& subject, const std::string& name, const Diagnosis& other,
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
    const std::string more = known ? "" : ", but not all differences are explained";
    const std::string same = known ? "the same arithmetic" : "the same causes";
    print_text(fmt::format("\n{} and {}: {}{}\n", name, other_name, same, more));
    return {known ? kEqual : kDifferent, fmt::format("{} as {}{}", same, other_name, more)};
  }
  print_text(fmt::format("\n{} and {} differ from each other:\n{}", name, other_name, text));
  return {kDifferent, "other causes than " + other_name};
}

// Diagnoses the reference as well, and prints in what the two differ. Error: the exit status, after the reason has been
// printed.
tl::expected<Comparison, int> diagnose_reference(const DiagnoseArguments& arguments, const Diagnosis& diagnosis,
                                                 const std::string& name) {
  const auto opened = open_named(arguments.reference, "diagnose", arguments.patience, "--reference");
  if (!opened) return tl::unexpected(opened.error());
  print_text("\n");
  const auto other =
      diagnose_and_print(**opened, arguments, arguments.reference, "--subject " + shell_word(arguments.reference));
  if (!other) return tl::unexpected(other.error());
  const std::string other_name = (*opened)->name();
  if (const auto& conduct = other->conduct) {
    return Comparison{kDifferent, fmt::format("{}: {}", other_name, headline_of(*conduct))};
  }
  return compare_causes(diagnosis, name, other->diagnosis, other_name);
}

// Sets the exit status of the report, and compares with the reference if there is one. Error: the exit status, after
// the reason has been printed.
tl::expected<void, int> set_status(Report& report, const Found& found, const DiagnoseArguments& arguments,
                                   const std::string& name) {
  report.status = found.conduct ? int{kDifferent} : status_of(found.diagnosis, report);
  if (!found.conduct && !is_interrupted() && !arguments.reference.empty()) {
    const auto comparison = diagnose_reference(arguments, found.diagnosis, name);
    if (!comparison) return tl::unexpected(comparison.error());
    report.status = comparison->status;
    report.headline += "; " + comparison->text;
  }
  if (!found.conduct && is_interrupted()) report.status = kNotVerified;
  return {};
}

// Returns why a kernel of these types cannot be diagnosed as asked; empty if it can.
std::string not_diagnosed(const KernelTypes& types, const DiagnoseArguments& arguments) {
  if (types.output == OutputType::int32) {
    return "--subject: the kernel returns int32 sums, and only bytes are diagnosed; tieout fuzz --subject compares "
           "them";
  }
  const bool plain =
      types.activation == ActivationType::uint8 && types.output == OutputType::uint8 && !types.int32_bias;
  if (plain || arguments.emit.empty()) return {};
  return "--emit writes kernels with uint8 values and a float bias, and this one declares other types: leave it out";
}

int run_diagnose(DiagnoseArguments& arguments) {
  CallFiles files;
  add_subject_file(files, arguments.subject);
  add_subject_file(files, arguments.reference, "--reference");
  if (!arguments.emit.empty()) files.add_output("--emit", arguments.emit);
  const auto baseline = prepare_reports(arguments.outputs, std::move(files));
  if (!baseline) return fail_diagnosis(baseline.error());
  const auto subject = open_named(arguments.subject, "diagnose", arguments.patience);
  if (!subject) return subject.error();
  if (const std::string why = not_diagnosed((*subject)->types(), arguments); !why.empty()) return fail_diagnosis(why);
  const auto domain =
      choose_domain(arguments.domain, subject->get(), arguments.patience.value_or(Rules{}.seconds), "diagnose");
  if (!domain) return domain.error();
  arguments.options.domain = *domain;
  arguments.options.progress = [](const std::string& stage, std::int64_t done, std::int64_t of) {
    show_stage(stage, done, of);
    return !is_interrupted();
  };
  take_interruptions();
  const auto found =
      diagnose_and_print(**subject, arguments, arguments.subject, "--subject " + shell_word(arguments.subject));
  if (!found) return found.error();
  Report report = report_of_diagnosis(arguments, *found, **subject, *baseline);
  if (const auto set = set_status(report, *found, arguments, (*subject)->name()); !set) return set.error();
  const auto written = write_reports(arguments.outputs, report);
  if (!written) return fail_diagnosis(written.error(), kNotVerified);
  const Diagnosis& diagnosis = found->diagnosis;
  if (!arguments.emit.empty() && !found->conduct) {
    if (!emit(arguments, diagnosis, (*subject)->name())) {
      return fail_diagnosis("--emit: cannot write " + arguments.emit, kNotVerified);
    }
    print_text(
        fmt::format("\n{} holds a kernel in C that computes the same. It differs from the contract's kernel by:\n{}",
                    arguments.emit, kernel_diff(diagnosis.model, 1)));
  }
  return exit_status(report);
}

}  // namespace

Command diagnose_command() {
  Command command{
      .name = "diagnose",
      .description =
          "Find out why a kernel differs: which lines of the contract it computes in another way, and proof"};
  const auto arguments = std::make_shared<DiagnoseArguments>();
  command.option("--subject", &arguments->subject,
                 "Kernel to diagnose: a shared library that exports what tieout_kernel.h declares, command:LINE, "
                 "hypothesis:NAME or engine:NAME, which is compared with its own arithmetic",
                 {.required = true, .is_path = true});
  command.option("--reference", &arguments->reference,
                 "Kernel to diagnose as well; then the causes that only one of the two has are printed",
                 {.is_path = true});
  command.option("--emit", &arguments->emit, "File for a C kernel that computes what was diagnosed", {.type = "FILE"});
  command.option("--cases", &arguments->options.cases, "Maximum number of cases of the search",
                 {.check = positive_whole_number(), .show_default = true});
  command.option("--proof", &arguments->options.proof, "Number of fresh cases of the proof",
                 {.check = positive_whole_number(), .show_default = true});
  command.option("--seconds", &arguments->options.seconds, "Time limit of the search, and again of the proof, seconds",
                 {.check = positive_number(), .show_default = true});
  command.option("--seed", &arguments->options.seed, "Seed of the cases", {.show_default = true});
  add_where_option(command, arguments->domain);
  add_patience(command, arguments->patience, Rules{}.seconds);
  add_report_options(command, arguments->outputs);
  command.run = [arguments] { return run_diagnose(*arguments); };
  return command;
}

}  // namespace tieout
