#include "props/identify/identify.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cases/machine/cpu_name.h"
#include "cases/strings/printable.h"
#include "cases/text/case_text.h"
#include "cli/common/command.h"
#include "cli/common/commands.h"
#include "cli/common/errors.h"
#include "cli/identify_operator.h"
#include "cli/options/domain_option.h"
#include "cli/options/report_outputs.h"
#include "cli/options/subject_option.h"
#include "kernels/conv_relu.h"
#include "kernels/subject/subject.h"
#include "oracle/engines/known_defects.h"
#include "oracle/libtorch/libtorch.h"
#include "props/identify/subject_probes.h"
#include "props/verify/engine_subject.h"
#include "props/verify/hypothesis_subject.h"
#include "reports/formats/finding_text.h"
#include "reports/text/number_text.h"

namespace tieout {
namespace {

// Numbers of cases if --cases does not state one.
constexpr std::int64_t kConvolutionCases = 20'000, kOperatorCases = 400;

struct IdentifyArguments {
  std::optional<std::string> given_subject, path, operator_name;
  std::optional<std::int64_t> given_cases;
  std::string subject;
  std::string isa = "native";
  std::int64_t cases = 0;
  bool details = false;
  DomainArguments domain;
  std::optional<double> patience;  // seconds
  ReportOutputs outputs;
};

// The names under which our kernel is a subject, and its arithmetic under each.
constexpr std::array<std::pair<std::string_view, Arithmetic>, 3> kKernels{{
    {"scalar", {}},
    {"scalar_int16_pairs", {.products = Arithmetic::Products::int16_pairs}},
    {"scalar_depthwise",
     {.products = Arithmetic::Products::int16_pairs,
      .activation_sum = Arithmetic::ActivationSum::int16,
      .tensor_bias = Arithmetic::TensorBias::separate}},
}};

std::string names_of_subjects() {
  std::string names = "fbgemm, onednn, x86, qnnpack, fbgemm_direct, onednn_pointwise";
  for (const auto& [name, arithmetic] : kKernels) names.append(", ").append(name);
  for (const Hypothesis& hypothesis : hypotheses()) names.append(", ").append(hypothesis.name);
  return names;
}

std::vector<std::string> names_of_operators() {
  std::vector<std::string> names;
  for (const OperatorSchema* const schema : operator_schemas()) names.emplace_back(schema->name);
  return names;
}

Responder engine_subject(LibTorch& reference, const Execution& execution) {
  return [&reference, execution](const ConvProblem& problem, std::int64_t offset) -> std::optional<std::uint8_t> {
    ConvProblem asked = problem;
    asked.spec.execution = execution;
    if (known_defect(asked.spec, reference.hardware()) != nullptr) return {};
    const auto answer = reference.conv(asked);
    if (!answer) return {};
    return answer->y.values[static_cast<std::size_t>(offset)];
  };
}

Responder hypothesis_subject(const Hypothesis& hypothesis) {
  return [&hypothesis](const ConvProblem& problem, std::int64_t offset) -> std::optional<std::uint8_t> {
    Window window;
    gather(problem, offset, window);
    return hypothesis.evaluate(window, nullptr);
  };
}

// Returns true if the text is a file or a command, and not the name of an engine, a kernel or a hypothesis.
bool names_a_kernel(std::string_view text) {
  return text.find_first_of("/.") != std::string_view::npos || text.starts_with(kCommandPrefix);
}

// Returns true if the text names an engine of LibTorch, whose arithmetic may differ from path to path.
bool names_an_engine(std::string_view text) {
  return text.starts_with(kEnginePrefix) || from_name<Engine>("--subject", std::string(text)).has_value();
}

bool has_probes(FbgemmPath path, const Domain& domain) {
  constexpr std::uint64_t kTries = 10;
  for (std::uint64_t index = 0; index < kTries; ++index) {
    if (domain.contains(draw_discriminating_case(path, index, domain).c)) return true;
  }
  return false;
}

// Returns those of the paths that have cases in the domain; empty after printing which other paths have.
std::vector<FbgemmPath> paths_with_probes(const std::vector<FbgemmPath>& paths, const Domain& domain) {
  if (domain.is_everything()) return paths;
  std::vector<FbgemmPath> found;
  std::string others;
  for (const FbgemmPath path : kFbgemmPaths) {
    if (!has_probes(path, domain)) continue;
    if (std::ranges::find(paths, path) != paths.end()) {
      found.push_back(path);
    } else {
      others.append(others.empty() ? " --path " : ", ").append(name(path));
    }
  }
  if (found.empty()) {
    fmt::print(stderr, "tieout identify: no case of {} lies in the domain '{}'{}{}\n",
               paths.size() == 1 ? fmt::format("the path {}", name(paths.front())) : "any path", domain.text(),
               others.empty() && paths.size() > 1 ? "" : "; ",
               !others.empty()    ? "take" + others
               : paths.size() > 1 ? ""
                                  : "nor does one of another path");
  }
  return found;
}

tl::expected<Responder, int> kernel_subject(const IdentifyArguments& arguments, std::vector<FbgemmPath>& paths,
                                            Domain& domain) {
  const auto subject = open_named(arguments.subject, "identify", arguments.patience);
  if (!subject) return tl::unexpected(subject.error());
  const double patience = arguments.patience.value_or(Rules{}.seconds);
  if ((*subject)->types().output == OutputType::int32) {
    return tl::unexpected(fail_command("identify", kBadUsage,
                                       "the kernel returns int32 sums, which most hypotheses agree on; compare it by "
                                       "tieout fuzz --subject"));
  }
  const auto chosen = choose_domain(arguments.domain, subject->get(), patience, "identify");
  if (!chosen) return tl::unexpected(chosen.error());
  domain = *chosen;
  paths = paths_with_probes(paths, domain);
  if (paths.empty()) return tl::unexpected(int{kNotVerified});
  // The responder holds all answers, so a change of the subject's files is detected after it was made.
  Responder responder = ask_probes(**subject, paths, arguments.cases, domain, patience);
  if (const std::string change = (*subject)->change(); !change.empty()) {
    fmt::print(stderr, "tieout identify: --subject: {}\n", printable_lines(change));
    return tl::unexpected(int{kNotVerified});
  }
  return responder;
}

// Returns the subject that --subject names, sets the domain of its probes, and removes the paths that have none. Error:
// the exit status, after the reason has been printed.
tl::expected<Responder, int> find_subject(const IdentifyArguments& arguments, std::vector<FbgemmPath>& paths,
                                          Domain& domain) {
  if (names_a_kernel(arguments.subject)) return kernel_subject(arguments, paths, domain);
  const auto said = choose_domain(arguments.domain, nullptr, 0, "identify");
  if (!said) return tl::unexpected(said.error());
  domain = *said;
  paths = paths_with_probes(paths, domain);
  if (paths.empty()) return tl::unexpected(int{kNotVerified});
  for (const auto& [name, arithmetic] : kKernels) {
    if (name != arguments.subject) continue;
    return [chosen = arithmetic](const ConvProblem& problem, std::int64_t offset) -> std::optional<std::uint8_t> {
      return static_cast<std::uint8_t>(conv_relu_trace(problem, chosen, offset).result);
    };
  }
  // An engine and the hypothesis about it have the same name. Without a prefix, the name means the engine.
  const bool only_hypotheses = arguments.subject.starts_with(kHypothesisPrefix);
  const bool only_engines = arguments.subject.starts_with(kEnginePrefix);
  const std::string subject = arguments.subject.substr(only_hypotheses ? kHypothesisPrefix.size()
                                                       : only_engines  ? kEnginePrefix.size()
                                                                       : 0);
  std::optional<Engine> engine;
  if (const auto named = from_name<Engine>("--subject", subject); named && !only_hypotheses) engine = *named;
  const Hypothesis* const hypothesis = only_engines ? nullptr : find_hypothesis(subject);
  const auto isa = from_name<Isa>("--isa", arguments.isa);
  if (!isa) {
    fmt::print(stderr, "tieout identify: {}\n", printable_lines(isa.error().text()));
    return tl::unexpected(int{kBadUsage});
  }
  if (engine) {
    const auto reference = load_libtorch("identify");
    if (!reference) return tl::unexpected(reference.error());
    const Execution execution{.engine = *engine, .isa = *isa};
    if (const auto can = (*reference)->available(execution); !can) {
      fmt::print(stderr, "tieout identify: {}\n", printable_lines(can.error().message));
      return tl::unexpected(int{kNotVerified});
    }
    return engine_subject(**reference, execution);
  }
  if (hypothesis != nullptr) return hypothesis_subject(*hypothesis);
  fmt::print(stderr,
             "tieout identify: --subject: must be a shared library, or one of {}, or hypothesis:NAME or engine:NAME, "
             "is '{}'\n",
             names_of_subjects(), arguments.subject);
  return tl::unexpected(int{kBadUsage});
}

void print_verdict(const HypothesisVerdict& verdict) {
  using Kind = HypothesisVerdict::Kind;
  switch (verdict.kind) {
    case Kind::refuted: fmt::print("{}: refuted by {}\n", verdict.name, print(verdict.probe.c)); break;
    case Kind::standing:
      fmt::print("{}: standing, {} discriminating cases\n", verdict.name, verdict.discriminating);
      break;
    case Kind::indistinguishable: fmt::print("{}: indistinguishable from {}\n", verdict.name, verdict.like); break;
  }
}

void print_details(const Identification& found, double seconds) {
  fmt::print("\n{:<28} {:>8} {:>6} {:>8}\n", "hypothesis", "refuting", "says", "subject");
  for (const HypothesisVerdict& verdict : found.verdicts) {
    if (verdict.kind != HypothesisVerdict::Kind::refuted) continue;
    fmt::print("{:<28} {:>8} {:>6} {:>8}\n", verdict.name, verdict.refuting, verdict.says, verdict.subject_says);
  }
  fmt::print("\n");
  for (const auto& cluster : found.clusters) fmt::print("agree on every case: {}\n", fmt::join(cluster, ", "));
  fmt::print("{} answered, {} declined, {:.2f} s\n", counted(found.probes, "case"), found.declined, seconds);
}

const char* text_of(HypothesisVerdict::Kind kind) {
  switch (kind) {
    case HypothesisVerdict::Kind::refuted: return "refuted";
    case HypothesisVerdict::Kind::standing: return "standing";
    case HypothesisVerdict::Kind::indistinguishable: break;
  }
  return "indistinguishable";
}

ReportedTable table_of(const Identification& found) {
  ReportedTable table{.title = "Hypotheses",
                      .columns = {"hypothesis", "verdict", "cases that tell", "hypothesis says", "subject says",
                                  "case, or hypothesis alike"},
                      .rows = {}};
  for (const HypothesisVerdict& verdict : found.verdicts) {
    const bool refuted = verdict.kind == HypothesisVerdict::Kind::refuted;
    const auto if_refuted = [&](const std::string& text) { return refuted ? text : std::string(); };
    table.rows.push_back({verdict.name, text_of(verdict.kind),
                          std::to_string(refuted ? verdict.refuting : verdict.discriminating),
                          if_refuted(std::to_string(verdict.says)), if_refuted(std::to_string(verdict.subject_says)),
                          refuted ? print(verdict.probe.c) : verdict.like});
  }
  return table;
}

// Returns the report, with a table and without findings, because a refuted hypothesis is a result and not a failure.
Report report_of_identification(const IdentifyArguments& arguments, const std::string& path,
                                const Identification& found, double seconds,
                                const std::vector<KnownFinding>& baseline) {
  RunSummary run{.command = fmt::format("tieout identify --subject {} --isa {} --path {} --cases {}",
                                        shell_word(arguments.subject), arguments.isa, path, arguments.cases),
                 .subject = arguments.subject,
                 .reference = "hypotheses",
                 .machine = {.cpu = cpu_name()}};
  run.cases.passed = found.probes;
  run.cases.skipped = found.declined;
  if (found.declined > 0) run.reasons["declined by the subject"] = found.declined;
  run.cells[{.engine = "identify", .isa = arguments.isa, .path = path}] = {.cases = found.probes,
                                                                           .elements = found.probes};
  run.seconds = seconds;
  Report report = make_report({run}, baseline);
  report.table = table_of(found);
  std::vector<std::string> standing;
  std::size_t refuted = 0;
  for (const HypothesisVerdict& verdict : found.verdicts) {
    if (verdict.kind == HypothesisVerdict::Kind::standing) standing.push_back(verdict.name);
    if (verdict.kind == HypothesisVerdict::Kind::refuted) ++refuted;
  }
  report.headline =
      fmt::format("{} of {} hypotheses refuted by {}, standing: {}; varied: {}", refuted, found.verdicts.size(),
                  counted(found.probes, "case"),
                  standing.empty() ? "none" : fmt::format("{}", fmt::join(standing, ", ")), found.variation.text());
  return report;
}

int run_identify(IdentifyArguments& arguments) {
  if (arguments.operator_name) {
    return identify_operator_of({.name = *arguments.operator_name,
                                 .subject = arguments.given_subject.value_or("aten"),
                                 .cases = arguments.given_cases.value_or(kOperatorCases),
                                 .details = arguments.details,
                                 .patience = arguments.patience,
                                 .outputs = &arguments.outputs});
  }
  arguments.subject = arguments.given_subject.value_or("fbgemm");
  arguments.cases = arguments.given_cases.value_or(kConvolutionCases);
  const std::string path = arguments.path.value_or(names_an_engine(arguments.subject) ? "pointwise" : "all");
  std::vector<FbgemmPath> paths;
  for (const FbgemmPath one : kFbgemmPaths) {
    if (path == "all" || path == name(one)) paths.push_back(one);
  }
  if (paths.empty()) {
    fmt::print(stderr,
               "tieout identify: --path: must be one of all, pointwise, im2col, depthwise, groupwise, is '{}'\n",
               printable_lines(path));
    return kBadUsage;
  }
  CallFiles files;
  add_subject_file(files, arguments.subject);
  const auto baseline = prepare_reports(arguments.outputs, std::move(files));
  if (!baseline) {
    fmt::print(stderr, "tieout identify: {}\n", printable_lines(baseline.error()));
    return kBadUsage;
  }
  const auto start = std::chrono::steady_clock::now();
  Domain domain;
  const auto subject = find_subject(arguments, paths, domain);
  if (!subject) return subject.error();
  const Identification found = identify(*subject, paths, arguments.cases, domain);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  for (const HypothesisVerdict& verdict : found.verdicts) print_verdict(verdict);
  if (found.probes > 0) fmt::print("varied: {}\n", found.variation.text());
  if (arguments.details) print_details(found, seconds);
  if (const auto written =
          write_reports(arguments.outputs, report_of_identification(arguments, path, found, seconds, *baseline));
      !written) {
    fmt::print(stderr, "tieout identify: {}\n", printable_lines(written.error()));
    return kNotVerified;
  }
  return found.probes == 0 ? kNotVerified : kEqual;
}

}  // namespace

Command identify_command() {
  Command command{.name = "identify", .description = "Which arithmetic does an implementation follow?"};
  const auto arguments = std::make_shared<IdentifyArguments>();
  command.option(
      "--subject", &arguments->given_subject,
      "A shared library that exports what tieout_kernel.h says, command:LINE, hypothesis:NAME, "
      "engine:NAME, or one of " +
          names_of_subjects() +
          " (default: fbgemm); with --operator: a library that exports what tieout_operator.h says, command:LINE, "
          "aten, specification or the name of a variant (default: aten)",
      {.is_path = true});
  command.option("--isa", &arguments->isa, "Instruction set that FBGEMM is forced to use",
                 {.proposals = {"native", "avx2", "avx512", "avx512_256", "avx512_vnni", "avx512_vnni_256"},
                  .show_default = true});
  command.option("--path", &arguments->path,
                 "FBGEMM's code path for the shapes of the cases: pointwise, im2col, depthwise, groupwise, or all "
                 "(default: pointwise for an engine of LibTorch, and otherwise all)",
                 {.proposals = {"all", "pointwise", "im2col", "depthwise", "groupwise"}});
  command.option("--cases", &arguments->given_cases,
                 fmt::format("Number of cases (default {}; with --operator {})", kConvolutionCases, kOperatorCases),
                 {.check = positive_whole_number()});
  add_where_option(command, arguments->domain);
  add_patience(command, arguments->patience, Rules{}.seconds);
  command.option("--details", &arguments->details,
                 "Also print counts, clusters of equal hypotheses, and times; with --operator, the refuted variants");
  command.option("--operator", &arguments->operator_name,
                 "Operator to identify instead of a convolution (see `tieout help operators`)",
                 {.type = "NAME", .excludes = {"--isa", "--path", "--where"}, .proposals = names_of_operators()});
  add_report_options(command, arguments->outputs);
  command.run = [arguments] { return run_identify(*arguments); };
  return command;
}

}  // namespace tieout
