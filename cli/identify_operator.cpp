#include "cli/identify_operator.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>
#include <vector>

#include "cases/machine/cpu_name.h"
#include "cases/operators/operator_text.h"
#include "cli/common/commands.h"
#include "cli/common/errors.h"
#include "cli/options/subject_option.h"
#include "kernels/operators/operator_kernel.h"
#include "kernels/subject/subject.h"
#include "oracle/libtorch/libtorch.h"
#include "props/identify/operator_identify.h"
#include "props/verify/verify.h"
#include "reports/formats/finding_text.h"
#include "reports/text/number_text.h"

namespace tieout {
namespace {

constexpr std::uint64_t kProbeSeed = 1;

struct OperatorSubject {
  OperatorResponder respond;
  Hardware hardware;
};

OperatorSubject libtorch_operators(LibTorch& reference) {
  const auto respond = [&reference](const OperatorCase& c) -> tl::expected<OperatorOutput, SubjectError> {
    auto output = reference.run_operator(c);
    if (output) return std::move(*output);
    const bool refused = output.error().kind == EngineError::Kind::refused;
    return tl::unexpected(
        SubjectError{refused ? SubjectError::Kind::declined : SubjectError::Kind::absent, output.error().message});
  };
  return {respond, reference.hardware()};
}

// Returns true if the text names a file or a program, as --subject takes them for kernels.
bool names_kernel(const std::string& text) { return text.find_first_of("/.:") != std::string::npos; }

tl::expected<OperatorSubject, int> kernel_of_operators(const IdentifyOperatorArguments& arguments) {
  auto opened = open_named(arguments.subject, "identify", arguments.patience);
  if (!opened) return tl::unexpected(opened.error());
  const std::shared_ptr<Subject> subject = std::move(*opened);
  const Conditions conditions{.seconds = arguments.patience.value_or(Rules{}.seconds)};
  return OperatorSubject{[=](const OperatorCase& c) -> tl::expected<OperatorOutput, SubjectError> {
                           auto answer = subject->run_operator(c, conditions);
                           if (!answer) return tl::unexpected(answer.error());
                           return OperatorOutput{std::move(*answer), c.schema->has_float_output};
                         },
                         {}};
}

// Returns the subject. Error: the exit status, after the reason has been printed.
tl::expected<OperatorSubject, int> find_operator_subject(const IdentifyOperatorArguments& arguments,
                                                         const OperatorSchema& schema) {
  const std::string& name = arguments.subject;
  if (names_kernel(name)) return kernel_of_operators(arguments);
  if (name == "specification") return OperatorSubject{operator_kernel, {}};
  if (name == "aten") {
    const auto reference = load_libtorch("identify");
    if (!reference) return tl::unexpected(reference.error());
    return libtorch_operators(**reference);
  }
  std::vector<std::string_view> names{"aten", "specification"};
  for (const ChangeEntry& entry : change_entries()) {
    if (!applies(entry, schema)) continue;
    if (entry.name == name) {
      return OperatorSubject{[&entry](const OperatorCase& c) { return compute_changed(c, {entry.change}); }, {}};
    }
    names.push_back(entry.name);
  }
  return tl::unexpected(fail_command(
      "identify", kBadUsage,
      fmt::format("--subject: must be a library, command:LINE or one of {}, is '{}'", fmt::join(names, ", "), name)));
}

ReportedTable table_of_variants(const OperatorIdentification& found) {
  ReportedTable table{
      .title = "Variants", .columns = {"variant", "verdict", "what it computes", "element", "case"}, .rows = {}};
  for (const VariantVerdict& verdict : found.verdicts) {
    const auto& refuted = verdict.refuted_by;
    table.rows.push_back({verdict.variant.name, refuted ? "refuted" : "equal in all cases", verdict.variant.what,
                          refuted ? std::to_string(refuted->offset) : "", refuted ? print(refuted->c) : ""});
  }
  return table;
}

// Returns the report, with a table and without findings, because a refuted variant is a result and not a failure.
Report report_of_variants(const IdentifyOperatorArguments& arguments, const OperatorIdentification& found,
                          double seconds, const std::vector<KnownFinding>& baseline) {
  RunSummary run{.command = fmt::format("tieout identify --operator {} --subject {} --cases {}", arguments.name,
                                        shell_word(arguments.subject), arguments.cases),
                 .subject = arguments.subject,
                 .reference = "variants",
                 .machine = {.cpu = cpu_name()}};
  run.cases.passed = found.cases;
  run.cases.skipped = found.declined;
  if (found.declined > 0) run.reasons["declined by the subject"] = found.declined;
  run.cells[{.engine = "identify", .isa = "native", .path = arguments.name}] = {.cases = found.cases,
                                                                                .elements = found.elements};
  run.seconds = seconds;
  Report report = make_report({run}, baseline);
  report.table = table_of_variants(found);
  std::vector<std::string> standing;
  for (const OperatorVariant& variant : found.standing()) standing.push_back(variant.name);
  report.headline = fmt::format("{} of {} variants refuted by {}, equal: {}", found.verdicts.size() - standing.size(),
                                found.verdicts.size(), counted(found.cases, "case"),
                                standing.empty() ? "none" : fmt::format("{}", fmt::join(standing, ", ")));
  return report;
}

}  // namespace

int identify_operator_of(const IdentifyOperatorArguments& arguments) {
  const OperatorSchema* const schema = find_operator(arguments.name);
  if (schema == nullptr) {
    return fail_command(
        "identify", kBadUsage,
        fmt::format("--operator: there is no operator '{}'; see `tieout help operators`", arguments.name));
  }
  const auto baseline = prepare_reports(*arguments.outputs);
  if (!baseline) return fail_command("identify", kBadUsage, baseline.error());
  const auto subject = find_operator_subject(arguments, *schema);
  if (!subject) return subject.error();
  const auto start = std::chrono::steady_clock::now();
  const auto found = identify_operator(subject->respond, *schema, subject->hardware, arguments.cases, kProbeSeed);
  if (!found) return fail_command("identify", kNotVerified, "--subject: " + found.error().message);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  fmt::print("{}", identification_text(*found, arguments.details));
  fmt::print("{}, {}, {} declined\n", counted(found->cases, "case"), counted(found->elements, "element"),
             found->declined);
  if (const auto written = write_reports(*arguments.outputs, report_of_variants(arguments, *found, seconds, *baseline));
      !written) {
    return fail_command("identify", kNotVerified, written.error());
  }
  return found->cases == 0 ? kNotVerified : kEqual;
}

}  // namespace tieout
