#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include "cases/case_text.h"
#include "cases/contents.h"
#include "cli/check_file.h"
#include "cli/commands.h"
#include "cli/output_file.h"
#include "cli/sinks.h"
#include "cli/subject_option.h"
#include "oracle/libtorch.h"
#include "props/campaign.h"
#include "props/verify.h"
#include "reports/finding_text.h"
#include "reports/number_text.h"
#include "reports/python_script.h"
#include "reports/tensor_text.h"

namespace tieout {
namespace {

struct Arguments {
  std::string line;
  std::string file;  // of cases; empty: the line is one
  SubjectArguments subject;
  std::optional<std::string> python;  // where the script goes; "-": standard output
  Sinks sinks;
};

// False, after saying why, where it cannot be written.
bool write_script(const ConvCase& c, const std::string& file) {
  const std::string script = python_script(with_contents(c), print(c));
  if (file == "-") {
    fmt::print("{}", script);
    return true;
  }
  const auto written = write_file(file, script);
  if (!written) fmt::print(stderr, "tieout check: --python: {}\n", written.error());
  return written.has_value();
}

int without_libtorch(const EngineError& error) {
  fmt::print(stderr, "tieout check: LibTorch cannot be loaded: {}\n", error.message);
  return kNotVerified;
}

int check_all(const Arguments& arguments) {
  const auto subject = open_optional(arguments.subject, "check");
  if (!subject) return subject.error();
  const auto reference = libtorch();
  if (!reference) return without_libtorch(reference.error());
  return check_file(arguments.file, **reference, subject->get(), arguments.subject.rules());
}

// "; at [0, 0, 0] it is 79 here and 255 there"
std::string example_of(const Departure& departure, const Shape& shape, const char* there) {
  return fmt::format("at {} of {} elements; {} is {} here and {} {}", grouped(departure.elements),
                     grouped(element_count(shape)), index_text(departure.offset, shape), departure.here,
                     departure.there, there);
}

// What the word "equal" does not tell: where LibTorch's answer is not the exact contract's, and where it would be different on
// another CPU.
void print_departures(const ConvCase& c, const Verdict& verdict, const LibTorch& reference, std::FILE* out) {
  const Shape& shape = verdict.expected.shape;
  if (const Departure& departure = verdict.departure; departure.elements > 0) {
    fmt::print(out, "not exact: {}: {}\n", departure.cause, example_of(departure, shape, "by the exact contract"));
  }
  const Answered answer{with_contents(c), verdict.expected, verdict.picked, verdict.path, {}, verdict.traces};
  if (const Departure other = departure_elsewhere(answer, reference.hardware()); other.elements > 0) {
    fmt::print(out, "LibTorch's answer would be different {}: {}\n", other.cause, example_of(other, shape, "there"));
  }
}

// The exit status. subject: nullptr if LibTorch itself was verified.
int print_verdict(const ConvCase& c, const Verdict& verdict, const Subject* subject, const LibTorch& reference,
                  std::FILE* out) {
  if (verdict.defect != nullptr) fmt::print(out, "known defect {}: {}\n", verdict.defect->id, verdict.defect->cause);
  switch (verdict.status) {
    case Status::differed:
    case Status::crashed: fmt::print(out, "{}", finding_text(verdict.finding)); return kDifferent;
    case Status::mistrusted:
    case Status::skipped:
    case Status::errored:
    case Status::starved: fmt::print(stderr, "tieout check: not verified: {}\n", verdict.reason); return kNotVerified;
    case Status::passed: break;
  }
  fmt::print(out, "{}:\n {}\n", verdict.finding.expected_name, tensor_text(verdict.expected));
  if (verdict.elements == 0) {
    fmt::print(stderr, "tieout check: the output has no elements: nothing was compared\n");
    return kNotVerified;
  }
  if (subject != nullptr) {
    const bool exact = verdict.reason.empty();
    fmt::print(out, "{}: {} elements, {}{}\n", exact ? "equal" : "equal to the exact contract", verdict.elements,
               subject->name(), exact ? "" : " " + verdict.reason);
  } else {
    fmt::print(out, "equal: {} elements, {} path, computed by {}\n", verdict.elements, name(verdict.path),
               name(verdict.picked));
  }
  print_departures(c, verdict, reference, out);
  return kEqual;
}

int check(const Arguments& arguments) {
  const auto c = parse(arguments.line);
  if (!c) {
    fmt::print(stderr, "tieout check: {}\n", c.error().text());
    return kBadUsage;
  }
  const auto baseline = prepare(arguments.sinks);
  if (!baseline) {
    fmt::print(stderr, "tieout check: {}\n", baseline.error());
    return kBadUsage;
  }
  if (arguments.python && !write_script(*c, *arguments.python)) return kBadUsage;
  // What goes to standard output stands there alone.
  std::FILE* const out = arguments.python == "-" || on_standard_output(arguments.sinks) ? stderr : stdout;
  const auto subject = open_optional(arguments.subject, "check");
  if (!subject) return subject.error();
  const auto reference = libtorch();
  if (!reference) return without_libtorch(reference.error());
  const Verdict verdict = verify_alone(*c, **reference, 60, subject->get(), arguments.subject.rules());
  const int status = print_verdict(*c, verdict, subject->get(), **reference, out);
  if (!is_set(arguments.sinks)) return status;
  const std::string command = replay_command(arguments.line, arguments.subject.text);
  const Report report = make_report({run_of_one_case(command, *c, verdict, **reference)}, *baseline);
  if (const auto written = write(arguments.sinks, report); !written) {
    fmt::print(stderr, "tieout check: {}\n", written.error());
    return kNotVerified;
  }
  return exit_status(report);
}

constexpr const char* kGrammar = R"(A case is one line of words:
  conv1d | conv2d | conv3d                  first
  batch in_channels out_channels groups     =N, default 1
  input kernel stride dilation padding      =DxHxW, HxW, W or one number for all
  xs xz  ws wz  os oz                       scale and zero point of activation,
                                            weight, output; ws=[a,b] per channel
  bias=[..]                                 float32, in real units; or none
  relu                                      present: on
  x w                                       =[..], or uniform | edges | extremes |
                                            reduced | sparse | small, by seed=N
  engine isa format threads                 how the reference runs
N*V in a list stands for N times V. Example:
  tieout check 'conv2d xs=0.1 ws=[0.5] os=0.1 x=[1] w=[1]')";

}  // namespace

void add_check(CLI::App& app, int& exit_status) {
  auto* const command = app.add_subcommand("check", "Verify one case, given as its line of text");
  const auto arguments = std::make_shared<Arguments>();
  auto* const line =
      command->add_option("case", arguments->line, "The line that a finding was printed with, in quotes");
  auto* const file = command->add_option("--file", arguments->file, "Verify the cases of a file, one a line");
  auto* const python =
      command->add_option("--python", arguments->python,
                          "Write a python script here that shows the case with torch alone; -: standard output");
  file->excludes(line);
  file->excludes(python);
  add_subject_options(*command, arguments->subject);
  add_sinks(*command, arguments->sinks);
  command->footer(kGrammar);
  command->callback([arguments, line, file, &exit_status] {
    if (line->count() + file->count() == 0) throw CLI::RequiredError("case or --file");
    exit_status = file->count() > 0 ? check_all(*arguments) : check(*arguments);
  });
}

}  // namespace tieout
