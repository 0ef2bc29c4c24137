#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "cases/contents.h"
#include "cases/operators/any_case.h"
#include "cases/strings/printable.h"
#include "cases/strings/shell_word.h"
#include "cases/text/case_words.h"
#include "cli/check/check_before.h"
#include "cli/check/check_file.h"
#include "cli/common/command.h"
#include "cli/common/commands.h"
#include "cli/common/errors.h"
#include "cli/common/run_text.h"
#include "cli/common/standard_output.h"
#include "cli/common/terminal.h"
#include "cli/options/diagnosis_option.h"
#include "cli/options/domain_option.h"
#include "cli/options/report_outputs.h"
#include "cli/options/subject_option.h"
#include "oracle/libtorch/libtorch.h"
#include "props/campaign/given_cases.h"
#include "props/operators/operator_verify.h"
#include "reports/formats/finding_text.h"
#include "reports/formats/operator_script.h"
#include "reports/text/number_text.h"
#include "reports/text/tensor_text.h"

namespace tieout {
namespace {

struct Arguments {
  std::string line;
  std::string file;  // file of cases; empty: `line` is the case
  std::string record;
  std::vector<std::string> before;  // lines of cases that the same process verifies first
  SubjectArguments subject;
  DomainArguments domain;
  std::optional<std::string> python;  // file of the script; "-": standard output
  std::optional<double> diagnosis;    // time limit, seconds
  ReportOutputs outputs;
};

int fail(int status, std::string_view message) { return fail_command("check", status, message); }

tl::expected<std::vector<KnownFinding>, std::string> prepare_files(Arguments& arguments) {
  CallFiles files;
  add_subject_files(files, arguments.subject);
  if (!arguments.file.empty()) files.add_input("--file", arguments.file);
  if (!arguments.record.empty()) files.add_output("--record", arguments.record);
  if (arguments.python) files.add_output("--python", *arguments.python);
  auto baseline = prepare_reports(arguments.outputs, std::move(files));
  if (baseline && arguments.python == "-") {
    if (const auto reserved = reserve_standard_output(); !reserved) return tl::unexpected(reserved.error());
  }
  return baseline;
}

tl::expected<void, std::string> write_script(const AnyCase& c, const std::string& file) {
  return write_output(file, script_of(c));
}

std::string command_of(const Arguments& arguments) {
  const std::string words = "tieout check" + words_of(arguments.subject);
  return words + (arguments.file.empty() ? " '" + arguments.line + "'" : " --file " + shell_word(arguments.file));
}

// Returns for example "at 3 of 9 elements; [0, 0, 0] is 79 here and 255 there". shift: stored_shift() of the output.
std::string example_of(const Departure& departure, const Shape& shape, int shift, const char* there) {
  return fmt::format("at {} of {} elements; {} is {} here and {} {}", grouped(departure.elements),
                     grouped(element_count(shape)), index_text(departure.offset, shape), departure.here - shift,
                     departure.there - shift, there);
}

// Prints for an equal case where LibTorch's answer is not that of the exact contract, and where it would be different
// on another CPU.
void print_departures(const ConvCase& c, const Verdict& verdict, const LibTorch& reference) {
  const Shape shape = output_shape(c);
  const int shift = stored_shift(c.output_type);
  if (const Departure& departure = verdict.departure; departure.elements > 0) {
    print_text(fmt::format("not exact: {}: {}\n", departure.cause,
                           example_of(departure, shape, shift, "by the exact contract")));
  }
  const ConvProblem problem = with_contents(c);
  const Answered answer{problem, verdict.expected, verdict.picked, verdict.path, {}, verdict.traces};
  if (const Departure other = departure_elsewhere(answer, reference.hardware()); other.elements > 0) {
    print_text(fmt::format("LibTorch's answer would be different {}: {}\n", other.cause,
                           example_of(other, shape, shift, "there")));
  }
}

// Does the same for a case of an operator; its answer depends on threads and memory.
void print_departures(const OperatorCase& c, const Verdict& verdict, const LibTorch& reference) {
  const Shape shape = output_shape(c);
  const auto print_one = [&](const char* head, const Departure& departure, const char* there) {
    print_wrapped(fmt::format("{} {}: {}", head, departure.cause, example_of(departure, shape, 0, there)));
  };
  if (verdict.departure.elements > 0) print_one("not exact:", verdict.departure, "by the exact contract");
  for (const Departure& other : departures_elsewhere(c, reference.hardware(), verdict.expected)) {
    print_one("LibTorch's answer would be different", other, "there");
  }
}

// Prints how many elements of a passed case are equal to the subject's.
void print_equal(const Verdict& verdict, const Subject& subject) {
  const bool exact = verdict.reason.empty();
  print_colored(Color::green, exact ? "equal" : "equal to the exact contract");
  print_text(fmt::format(": {}, {}{}\n", counted(verdict.elements, "element"), subject.name(),
                         exact ? "" : " " + verdict.reason));
}

// Prints the output of a passed case, and how many elements are equal.
void print_passed(const OperatorCase& c, const Verdict& verdict, const Subject* subject, const LibTorch* reference) {
  print_text(fmt::format("{}:\n {}\n", verdict.finding.expected_name,
                         c.schema->has_float_output ? float_bits_text(verdict.expected)
                                                    : output_text(verdict.expected, OutputType::uint8)));
  if (subject != nullptr) {
    print_equal(verdict, *subject);
  } else {
    print_colored(Color::green, "equal");
    print_text(fmt::format(": {}, computed by {}\n", counted(verdict.elements, "element"), c.schema->name));
  }
  if (reference != nullptr && verdict.reason.empty()) print_departures(c, verdict, *reference);
}

// Prints the result of a case. subject: nullptr if LibTorch itself was verified.
void print_verdict(const AnyCase& any, const Verdict& verdict, const Subject* subject, const Reference& reference) {
  if (verdict.defect != nullptr) {
    print_text(fmt::format("known defect {}: {}\n", verdict.defect->id, verdict.defect->cause));
  }
  switch (verdict.status) {
    case Status::differed:
    case Status::crashed: return print_finding(verdict.finding);
    case Status::known_defect:
    case Status::skipped:
    case Status::unavailable:
    case Status::no_resources: return fmt::print(stderr, "tieout check: not verified: {}\n", verdict.reason);
    case Status::passed: break;
  }
  if (const auto* const of_operator = std::get_if<OperatorCase>(&any))
    return print_passed(*of_operator, verdict, subject, reference.libtorch());
  const ConvCase& c = std::get<ConvCase>(any);
  print_text(fmt::format("{}:\n {}\n", verdict.finding.expected_name,
                         output_text(as_stored(verdict.expected, c.output_type), c.output_type)));
  if (verdict.elements == 0) {
    return fmt::print(stderr, "tieout check: the output has no elements: nothing was compared\n");
  }
  if (subject != nullptr) {
    print_equal(verdict, *subject);
  } else {
    print_colored(Color::green, "equal");
    print_text(fmt::format(": {}, {} path, computed by {}\n", counted(verdict.elements, "element"), name(verdict.path),
                           name(verdict.picked)));
  }
  if (reference.libtorch() != nullptr) print_departures(c, verdict, *reference.libtorch());
}

// Verifies the case after those of --before and returns the exit status.
int check_after_others(const Arguments& arguments, const AnyCase& c, const Reference& reference, Subject* subject,
                       const std::vector<KnownFinding>& baseline) {
  const auto before = parse_all(arguments.before);
  if (!before) return fail(kBadUsage, "--before: " + before.error());
  const std::string command = replay_command({.case_line = arguments.line,
                                              .subject = arguments.subject.text,
                                              .reference = arguments.subject.reference,
                                              .before = arguments.before});
  auto run = check_after(*before, c, command, reference, subject, arguments.subject.rules());
  if (!run) return fail(kNotVerified, "--before: " + run.error());
  if (const std::string change = change_of(subject, reference); !change.empty()) {
    return fail(kNotVerified, printable_lines(change));
  }
  const Report report = make_report({std::move(*run)}, baseline);
  if (const auto written = write_reports(arguments.outputs, report); !written)
    return fail(kNotVerified, written.error());
  return exit_status(report);
}

// Verifies the case and prints the result. Error: the exit status, after the reason has been printed.
tl::expected<void, int> verify_and_print(const AnyCase& c, const Subject* subject, const Reference& reference,
                                         GivenCases& cases) {
  const auto verdict = cases.verify(c);
  if (!verdict) return tl::unexpected(fail(kNotVerified, printable_lines(verdict.error())));
  print_verdict(c, *verdict, subject, reference);
  return {};
}

// Verifies the case, or the cases of --file, and prints the results. Returns the exit status that is due if nothing
// differs. Error: the exit status if there is nothing to report, after the reason has been printed.
tl::expected<int, int> verify_cases(const Arguments& arguments, const AnyCase& c, const Domain& domain,
                                    const Subject* subject, const Reference& reference, GivenCases& cases) {
  FileEnd end;
  if (!arguments.file.empty()) {
    end = check_file(arguments.file, domain, cases);
  } else if (const auto checked = verify_and_print(c, subject, reference, cases); !checked) {
    return tl::unexpected(checked.error());
  }
  if (const auto ended = cases.end(end.status == kEqual); !ended) end.status = fail(kNotVerified, ended.error());
  if (arguments.file.empty()) return end.status;
  print_counts(end, cases.run());
  if (end.status == kEqual && end.lines == end.without_case) {
    fmt::print(stderr, "tieout check: --file: {} holds no case: write one a line, such as 'conv2d xs=0.1'\n",
               printable(arguments.file));
  }
  return end.status;
}

// Returns the run with the causes of its differences. The cases of a file are diagnosed, and a single case if a time
// limit is given.
RunSummary with_causes(const Arguments& arguments, const Compared& compared, const Domain& domain, RunSummary run) {
  const double seconds = arguments.diagnosis.value_or(arguments.file.empty() ? 0 : kSecondsOfDiagnosis);
  diagnose_run(run, compared, arguments.subject, domain, {}, seconds);
  const bool diagnosed = !run.cases_by_cause.empty();
  const bool guessed = std::ranges::any_of(run.findings, is_guess);
  if (guessed && !diagnosed && compared.other == nullptr) {
    print_text(
        fmt::format("to look for the cause: tieout diagnose --subject {}\n", shell_word(arguments.subject.text)));
  }
  return run;
}

int check(Arguments& arguments) {
  const auto c = arguments.file.empty() ? parse_any_case(arguments.line) : tl::expected<AnyCase, CaseError>();
  if (!c) return fail(kBadUsage, c.error().text());
  if (const auto cost = check_cost(*c); !cost) return fail(kBadUsage, cost.error().text());
  const auto domain = read_domain(arguments.domain.where);
  if (!domain) return fail(kBadUsage, "--where: " + domain.error());
  const auto baseline = prepare_files(arguments);
  if (!baseline) return fail(kBadUsage, baseline.error());
  if (arguments.python) {
    if (const auto written = write_script(*c, *arguments.python); !written) {
      return fail(kBadUsage, "--python: " + written.error());
    }
  }
  const auto compared = open_compared(arguments.subject, "check", Waiting::spinning);
  if (!compared) return compared.error();
  const Reference& reference = compared->reference;
  Subject* const subject = compared->subject.get();
  const bool takes = subject == nullptr || subject->scope().operators;
  if (std::holds_alternative<OperatorCase>(*c) && !takes) {
    return fail(kBadUsage, fmt::format("--subject: {} declines {}; see docs/bring_your_own.md for kernels of operators",
                                       printable(subject->name()), kNoOperators));
  }
  if (!arguments.before.empty()) return check_after_others(arguments, *c, reference, subject, *baseline);
  GivenCases cases(command_of(arguments), reference, subject, arguments.subject.rules());
  if (!arguments.record.empty()) {
    if (const auto created = cases.record_to(arguments.record); !created) {
      return fail(kBadUsage, "--record: " + created.error());
    }
  }
  auto end_status = verify_cases(arguments, *c, *domain, subject, reference, cases);
  if (!end_status) return end_status.error();
  if (const auto noted = cases.note_causes(with_causes(arguments, *compared, *domain, cases.run())); !noted) {
    end_status = fail(kNotVerified, noted.error());
  }
  Report report = make_report({cases.run()}, *baseline);
  report.allow_skipped = arguments.domain.allow_skipped;
  print_causes(report);
  if (const auto written = write_reports(arguments.outputs, report); !written)
    end_status = fail(kNotVerified, written.error());
  const int status = exit_status(report);
  return status == kDifferent || *end_status == kEqual ? status : *end_status;
}

constexpr const char* kGrammar = R"(A case is one line of words:
  conv1d | conv2d | conv3d | linear         first
  batch in_channels out_channels groups     =N, default 1
  in_features out_features                  =N, of linear, in place of channels; it has
                                            no groups, and no word of the next lines
  input kernel stride dilation padding      =DxHxW, HxW, W or one number for all
  padding_end                               padding of the end of each axis; default:
                                            padding. padding=same: as TensorFlow
                                            and ONNX's SAME_UPPER have it
  xtype ytype                               types of activation and output: =uint8
                                            (default) or int8; ytype=int32: the sum
                                            before requantization
  xs xz  ws wz  os oz                       scale and zero point of activation,
                                            weight, output; ws=[a,b] per channel
  bias=[..]                                 float32, in real units; or, in its place:
  int32_bias=[..]                           int32, in units of xs * ws
  relu                                      present: on
  x w                                       =[..], or uniform | edges | extremes |
                                            reduced | sparse | small, by seed=N
  engine isa format threads                 how the reference runs: engine=fbgemm |
                                            onednn | x86 | qnnpack | fbgemm_direct
                                            (FBGEMM without PyTorch's operator) |
                                            onednn_pointwise (the operator of
                                            PyTorch 2 export)
 or a call of another operator, such as add or hardswish: see `tieout help operators`.
N*V in a list stands for N times V. Example:
  tieout check 'conv2d xs=0.1 ws=[0.5] os=0.1 x=[1] w=[1]'
  tieout check 'linear batch=4 in_features=16 out_features=8 os=300 relu'
  tieout check 'add shape=1x8x3x3 xs=[0.1,0.2] os=0.15 x=[72*7] x2=uniform')";

}  // namespace

Command check_command() {
  Command command{.name = "check", .description = "Verify one case, given as its line of text, or the cases of a file"};
  const auto arguments = std::make_shared<Arguments>();
  command.option("case", &arguments->line, "Case line, in quotes, as printed with a finding");
  command.option("--file", &arguments->file, "File of cases to verify, one per line; -: standard input",
                 {.type = "FILE", .excludes = {"case", "--python", "--before"}});
  command.option("--before", &arguments->before, "Case that the same process verifies before; can be repeated",
                 {.type = "CASE", .one_value = true});
  command.option("--python", &arguments->python,
                 "File for a Python script that shows the case with torch alone; -: standard output", {.type = "FILE"});
  command.option("--record", &arguments->record, "Record of the run, a new file, for `tieout report`",
                 {.type = "FILE", .group = "Reports", .excludes = {"--before"}});
  command.option("--where", &arguments->domain.where,
                 "Conditions on the cases of the file; others are left out (see tieout fuzz)",
                 {.type = "CONDITIONS", .needs = {"--file"}});
  add_allow_skipped_option(command, arguments->domain);
  add_subject_options(command, arguments->subject);
  add_diagnosis_option(command, arguments->diagnosis, "20 with --file, and 0 for a single case");
  add_report_options(command, arguments->outputs);
  command.footer = kGrammar;
  command.one_required = {"case", "--file"};
  command.run = [arguments] { return check(*arguments); };
  return command;
}

}  // namespace tieout
