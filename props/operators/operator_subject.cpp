#include "props/operators/operator_subject.h"

#include <string>
#include <utility>
#include <vector>

#include "cases/operators/any_case.h"
#include "cases/operators/operator_text.h"
#include "kernels/operators/operator_kernel.h"
#include "oracle/operators/operator_model.h"
#include "oracle/variants/operator_variants.h"
#include "props/operators/operator_answer.h"
#include "props/operators/operator_codes.h"
#include "props/operators/operator_verify.h"
#include "props/verify/subject_trial.h"
#include "reports/data/tensor_mismatches.h"

namespace tieout {
namespace {

// The name of the specification in findings.
constexpr const char* kExactContract = "specification";

// What a subject's answer is compared with.
struct ExpectedOutput {
  // The reference's answer, or the specification's if there is none.
  Answers y;
  std::string name;
  // The specification's values.
  std::vector<std::int32_t> exact;
  Hardware hardware;
  bool by_libtorch = false;
};

ExpectedOutput expected_output(const OperatorCase& c, LibTorch& reference, TrialMode where) {
  constexpr double kSeconds = 60;  // time limit of LibTorch
  Answers exact = operator_kernel(c).values;
  ExpectedOutput expected{.y = exact, .name = kExactContract, .exact = {}, .hardware = reference.hardware()};
  expected.exact = std::move(exact.values);
  if (!predicted_refusal(c).empty()) return expected;
  auto answer =
      where == TrialMode::alone ? run_operator_alone(c, reference, kSeconds) : run_operator_here(c, reference);
  if (!answer || answer->values.shape != expected.y.shape) return expected;
  expected.y = std::move(answer->values);
  expected.name = "aten";
  expected.by_libtorch = true;
  return expected;
}

// The values that the subject's are compared with.
struct FollowedOutput {
  // Differs from the subject's values exactly at those elements that are wrong.
  Answers y;
  // True if the subject follows the specification and not LibTorch's code: fewer of its elements differ from that.
  bool exact = false;
  // The number of elements that have the specification's value and not the reference's.
  std::int64_t departing = 0;
};

FollowedOutput followed_output(const ExpectedOutput& expected, const std::vector<std::int32_t>& actual) {
  FollowedOutput followed{.y = expected.y};
  std::int64_t from_reference = 0;
  std::int64_t from_exact = 0;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const bool is_exact = actual[i] == expected.exact[i];
    const bool is_expected = actual[i] == expected.y.values[i];
    from_reference += is_expected ? 0 : 1;
    from_exact += is_exact ? 0 : 1;
    followed.departing += is_exact && !is_expected ? 1 : 0;
  }
  followed.exact = from_exact < from_reference;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    if (actual[i] == expected.exact[i]) followed.y.values[i] = actual[i];
    if (followed.exact && actual[i] != expected.y.values[i]) followed.y.values[i] = expected.exact[i];
  }
  return followed;
}

// States which variants of the operator give all of the subject's values; see oracle/variants/.
void name_variants(Finding& finding, const OperatorCase& c, const ExpectedOutput& expected, const TensorMismatches& d,
                   const std::vector<std::int32_t>& actual) {
  constexpr std::int64_t kMostElements = 2'000;  // thousands of variants compute each
  constexpr std::size_t kMostNamed = 2;
  if (tensor_elements(c) > kMostElements) return;
  const bool is_float = c.schema->has_float_output;
  const Shape& shape = expected.y.shape;
  const auto variants =
      explain_difference(c, expected.hardware, {{shape, expected.exact}, is_float}, {{shape, actual}, is_float});
  std::size_t named = 0;
  for (const OperatorVariant& variant : variants) {
    if (variant.is_libtorch) continue;
    if (named++ == kMostNamed) break;
    finding.derivation += (finding.derivation.empty() ? "" : "; or of ") + variant.name + ": " + variant.what;
    // The specification itself has nothing instead; another reference may differ from it.
    if (!variant.instead.empty()) finding.derivation += ", where the contract has " + variant.instead;
  }
  if (named == 0) return;
  finding.derivation = "the values of " + finding.derivation;
  finding.explained = std::ssize(d.offsets);
}

// Sets the class of a difference in values, and what explains it. A few values can be those of another code by chance,
// so that all of the subject's must be.
void classify_difference(Finding& finding, const OperatorCase& c, const ExpectedOutput& expected,
                         const TensorMismatches& d, const std::vector<std::int32_t>& actual) {
  finding.mismatch_class = kOtherArithmetic;
  if (!expected.by_libtorch) return;
  const BothCodes codes(c, expected.hardware);
  const bool by_vector = codes.exist() && actual == codes.vector;
  const bool by_scalar = codes.exist() && actual == codes.scalar;
  if (actual == expected.exact) {
    finding.derivation = cause_of_departure(c, expected.hardware, expected.y, expected.exact) +
                         "; the subject follows the exact contract";
  } else if (by_vector || by_scalar) {
    finding.derivation = std::string("all of the subject's values are those of LibTorch's ") +
                         (by_vector ? "vector" : "scalar") + " code of " + std::string(c.schema->name);
  } else {
    return;
  }
  finding.mismatch_class = kOtherCode;
  finding.explained = std::ssize(d.offsets);
}

// Sets the verdict for a subject whose values are right.
void pass(Verdict& verdict, const OperatorCase& c, const ExpectedOutput& expected, bool follows_exact) {
  if (!expected.by_libtorch || expected.y.values == expected.exact) return;
  const std::string cause = cause_of_departure(c, expected.hardware, expected.y, expected.exact);
  if (follows_exact) {
    verdict.reason = "follows the exact contract; " + cause;
  } else {
    verdict.departure = departure_between(expected.y, expected.exact, cause);
  }
}

void compare_output(Verdict& verdict, const OperatorCase& c, ExpectedOutput expected, Trial trial,
                    Strictness strictness, TrialMode where) {
  Answers actual{expected.y.shape, std::move(trial.first)};
  const bool unstable = trial.kind == Trial::Kind::unstable;
  if (unstable && actual == expected.y) actual.values = std::move(trial.second);
  verdict.elements = std::ssize(actual.values);
  const bool lenient = !unstable && strictness == Strictness::contract && expected.by_libtorch;
  const FollowedOutput followed = lenient ? followed_output(expected, actual.values) : FollowedOutput{.y = expected.y};
  verdict.expected = followed.y;
  const TensorMismatches d = compare_tensors(followed.y, actual);
  if (d.equal() && !unstable) return pass(verdict, c, expected, followed.departing > 0);
  verdict.status = Status::differed;
  Finding& finding = verdict.finding;
  if (followed.exact) finding.expected_name = kExactContract;
  finding.expected = followed.y;
  finding.actual = actual;
  if (unstable) {
    verdict.conduct = finding.mismatch_class = trial.message;
  } else {
    classify_difference(finding, c, expected, d, actual.values);
    // The others run thousands of times while a case is shrunk.
    if (where == TrialMode::alone && finding.derivation.empty()) name_variants(finding, c, expected, d, actual.values);
  }
  list_elements(finding, c, expected.hardware, d);
}

}  // namespace

Verdict verify_operator_subject(const OperatorCase& c, const Reference& reference, Subject& subject, const Rules& rules,
                                TrialMode where) {
  const OperatorCase full = with_contents(c);
  Subject* const other = reference.other();
  Verdict verdict;
  Finding& finding = verdict.finding;
  finding.case_line = finding.original_line = print(c);
  finding.subject = subject.text();
  finding.cell = cell_of(c);
  if (other != nullptr) finding.reference = other->text();
  // The subject runs first, so that no process holds the reference's answer before the subject has answered.
  Trial trial = run_subject(subject, full, rules, where);
  finding.actual_name = subject.name();
  finding.expected_name = other == nullptr ? "aten" : expected_name(*other, subject);
  if (!set_conduct(verdict, trial)) return verdict;
  ExpectedOutput expected;
  if (other != nullptr) {
    auto answer = answer_of_other(verdict, full, *other, trial, rules, where);
    if (!answer) return verdict;
    expected = {.y = std::move(*answer), .name = finding.expected_name, .exact = {}, .hardware = reference.hardware()};
  } else {
    expected = expected_output(full, *reference.libtorch(), where);
    finding.expected_name = expected.name;
  }
  compare_output(verdict, full, std::move(expected), std::move(trial), rules.strictness, where);
  return verdict;
}

}  // namespace tieout
