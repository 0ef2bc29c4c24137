#include "props/diagnose/diagnosis_report.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "cases/contents.h"
#include "cases/text/case_text.h"
#include "kernels/conv_relu.h"
#include "props/diagnose/diagnosis_text.h"
#include "props/verify/verify.h"
#include "reports/formats/finding_text.h"

namespace tieout {
namespace {

const Cell kCell{.engine = "contract", .isa = "native", .path = "all", .granularity = {}, .bias = {}};

std::string option_of(const DiagnosedSubject& subject) { return "--subject " + shell_word(subject.argument); }

// Returns the finding of a case, or nothing if the kernel does not answer it, or not in another way than the contract.
std::optional<Finding> finding_of(const ConvCase& c, const KernelAnswer& kernel, const DiagnosedSubject& subject) {
  const ConvProblem problem = with_contents(c);
  auto y = kernel(problem);
  if (!y) return {};
  const std::vector<ElementTrace> traces = conv_relu_traces(problem, Arithmetic{});
  Finding finding{.case_line = print(c),
                  .original_line = print(c),
                  .expected_name = "contract",
                  .actual_name = subject.name,
                  .mismatch_class = std::string(kUnexplained),
                  .cell = kCell,
                  .subject = subject.argument};
  Answers expected{output_shape(c), {}};
  for (const ElementTrace& trace : traces) expected.values.push_back(trace.result);
  const Answers actual = as_answers({output_shape(c), std::move(*y)});
  if (expected.values.size() != actual.values.size()) return {};
  const TensorMismatches mismatches = compare_tensors(expected, actual);
  if (mismatches.equal()) return {};
  describe_values(finding, c.output_type, mismatches, expected, actual, traces);
  return finding;
}

void set_counts(RunSummary& run, std::int64_t cases, std::int64_t differing) {
  run.cases.passed = cases - differing;
  run.cases.differed = differing;
  run.cells[kCell] = {.cases = cases, .differed = differing};
}

}  // namespace

void set_diagnosis(RunSummary& run, const Diagnosis& diagnosis, const KernelAnswer& kernel,
                   const DiagnosedSubject& subject) {
  // A diagnosis that was interrupted may have no proof.
  const bool proven = diagnosis.fresh > 0;
  set_counts(run, proven ? diagnosis.fresh : diagnosis.cases, proven ? diagnosis.fresh_differing : diagnosis.differing);
  run.cases.skipped = diagnosis.declined;
  run.cells[kCell].elements = diagnosis.fresh_elements;
  run.seconds = diagnosis.seconds;
  // Several causes may explain one case; it counts for the first of them.
  std::int64_t left = run.cases.differed;
  for (const Cause& cause : diagnosis.causes) {
    run.causes.push_back(reported_cause(cause, diagnosis, option_of(subject)));
    ReportedCause& reported = run.causes.back();
    reported.cases = cause.explains;
    const std::int64_t counted = std::min(left, cause.explains);
    if (counted > 0) run.cases_by_cause[name_of(reported)] = counted;
    left -= counted;
    auto finding = finding_of(cause.smallest, kernel, subject);
    if (!finding) continue;
    finding->cause = reported.text;
    finding->condition = reported.condition;
    run.findings.push_back(std::move(*finding));
  }
  if (left > 0) run.cases_by_cause[std::string(kUnexplained)] = left;
  for (const ConvCase& c : diagnosis.left) {
    if (auto finding = finding_of(c, kernel, subject)) run.findings.push_back(std::move(*finding));
  }
}

void set_conduct(RunSummary& run, const Conduct& conduct, const DiagnosedSubject& subject) {
  set_counts(run, conduct.cases, conduct.failing);
  run.causes.push_back({.text = conduct.text,
                        .condition = conduct.condition,
                        .case_line = print(conduct.c),
                        .replay = check_line(option_of(subject) + before_words(conduct), conduct.c),
                        .cases = conduct.failing});
  run.cases_by_cause[name_of(run.causes.back())] = conduct.failing;
}

}  // namespace tieout
