#include "props/verify_subject.h"

#include <algorithm>
#include <utility>

#include "cases/case_text.h"
#include "cases/contents.h"
#include "oracle/engine_model.h"
#include "props/reference_answer.h"
#include "props/subject_trial.h"
#include "reports/diff.h"

namespace tieout {
namespace {

// What is expected, and by whom it is said.
struct Expected {
  Tensor<std::uint8_t> y;
  std::string name;
};

// Our own prediction, where LibTorch cannot be asked or is known to be wrong.
Expected predicted(const ConvProblem& problem, Engine engine, const Hardware& hardware) {
  if (engine == Engine::fbgemm) return {conv_relu(problem, Arithmetic{}), "specification"};
  return {predict(problem, engine, hardware), std::string(name(engine)) + "_model"};
}

Expected expectation(const ConvProblem& problem, Verdict& verdict, LibTorch& reference, Where where) {
  constexpr double kHang = 60;  // seconds, of LibTorch
  const Hardware hardware = reference.hardware();
  const ConvCase& c = problem.spec;
  verdict.picked = c.execution.engine == Engine::x86 ? x86_picks(c, hardware) : c.execution.engine;
  if (verdict.defect != nullptr || !refusal(c, hardware).empty()) return predicted(problem, verdict.picked, hardware);
  auto answer = where == Where::alone ? ask_alone(problem, reference, kHang) : ask_here(problem, reference);
  if (!answer || answer->y.shape != output_shape(c)) return predicted(problem, verdict.picked, hardware);
  verdict.picked = answer->picked;
  return {std::move(answer->y), std::string(name(c.execution.engine))};
}

// Why the subject's values count as right although LibTorch's are others: at each such element the subject follows the
// exact contract and LibTorch its own path. Empty: they do not.
std::string excuse(const ConvProblem& problem, const Arithmetic& of_path, const Verdict& verdict, const Diff& d,
                   const Tensor<std::uint8_t>& actual) {
  if (verdict.picked != Engine::fbgemm || of_path == Arithmetic{}) return {};
  bool pairs = false;
  bool activation_sums = false;
  const auto follows = [&](Arithmetic::TensorBias bias) {
    const Arithmetic exact{.tensor_bias = bias};
    return std::all_of(d.offsets.begin(), d.offsets.end(), [&](std::int64_t offset) {
      const auto at = static_cast<std::size_t>(offset);
      const ElementTrace& path = verdict.traces[at];
      pairs = pairs || path.saturated_pairs > 0;
      activation_sums = activation_sums || path.activation_sum_saturated;
      return verdict.expected.values[at] == path.result &&
             actual.values[at] == conv_relu_trace(problem, exact, offset).result;
    });
  };
  if (!follows(Arithmetic::TensorBias::fused) && !follows(of_path.tensor_bias)) return {};
  if (pairs && verdict.path == FbgemmPath::depthwise) {
    return "follows exact sums where FBGEMM's depthwise code saturates pairs of products in 16 bits";
  }
  if (pairs) {
    return "follows exact sums where FBGEMM saturates pairs of products in 16 bits; that depends on the CPU";
  }
  if (activation_sums) return "follows exact sums where FBGEMM's depthwise code stops adding activations at 32767";
  return "adds the bias with one rounding where FBGEMM's depthwise code takes two";
}

bool is_small(const ConvCase& c) {
  constexpr std::int64_t kFewProducts = 4'000;
  return element_count(output_shape(c)) * reduction_length(c) <= kFewProducts;
}

void end_without_answer(Verdict& verdict, Status status, std::string reason) {
  verdict.status = status;
  verdict.reason = std::move(reason);
}

// True: there is an answer to compare.
bool judge_conduct(Verdict& verdict, const Trial& trial) {
  switch (trial.kind) {
    case Trial::Kind::answered:
    case Trial::Kind::unstable: return true;
    case Trial::Kind::declined: end_without_answer(verdict, Status::skipped, "declined: " + trial.words); break;
    case Trial::Kind::absent: end_without_answer(verdict, Status::errored, trial.words); break;
    case Trial::Kind::misbehaved:
      verdict.status = Status::differed;
      verdict.conduct = verdict.finding.failure = trial.words;
      break;
    case Trial::Kind::died:
    case Trial::Kind::hung:
      verdict.finding.failure = "died: " + trial.words;
      end_without_answer(verdict, Status::crashed, trial.words);
      break;
  }
  return false;
}

void judge_answer(Verdict& verdict, const ConvProblem& problem, const Hardware& hardware, Trial trial,
                  Strictness strictness) {
  const bool by_fbgemm = verdict.picked == Engine::fbgemm;
  const Arithmetic arithmetic = by_fbgemm && verdict.finding.expected_name != "specification"
                                    ? fbgemm_arithmetic(problem.spec, hardware)
                                    : Arithmetic{};
  verdict.traces = conv_relu_traces(problem, arithmetic);
  Tensor<std::uint8_t> actual{verdict.expected.shape, std::move(trial.first)};
  Diff d = diff(verdict.expected, actual);
  const bool unstable = trial.kind == Trial::Kind::unstable;
  if (unstable && d.equal()) {
    actual.values = std::move(trial.second);
    d = diff(verdict.expected, actual);
  }
  verdict.elements = d.elements;
  if (d.equal() && !unstable) return;
  if (!unstable && strictness == Strictness::contract) {
    verdict.reason = excuse(problem, arithmetic, verdict, d, actual);
    if (!verdict.reason.empty()) return;
  }
  verdict.status = Status::differed;
  Finding& finding = verdict.finding;
  if (unstable) {
    verdict.conduct = finding.diff_class = trial.words;
  } else {
    name_difference(verdict, problem, arithmetic, actual);
  }
  finding.elements = described(d, verdict.expected, actual, verdict.traces);
  finding.expected = verdict.expected;
  finding.actual = std::move(actual);
}

}  // namespace

Verdict verify_subject(const ConvCase& c, LibTorch& reference, Subject& subject, const Rules& rules, Where where) {
  const Hardware hardware = reference.hardware();
  ConvProblem problem = with_contents(c);
  Verdict verdict;
  Finding& finding = verdict.finding;
  finding.case_line = finding.original_line = print(c);
  finding.subject = subject.text();
  finding.actual_name = subject.name();
  verdict.path = fbgemm_path(c, hardware);
  if (c.execution.isa == Isa::native) problem.spec.execution.isa = reference.native_isa();
  verdict.defect = known_defect(problem.spec, hardware);
  Expected expected = expectation(problem, verdict, reference, where);
  verdict.expected = std::move(expected.y);
  finding.expected_name = std::move(expected.name);
  // A library that crashes takes the process along; a process has its own.
  const bool apart = where == Where::alone && subject.isolation() == Isolation::none;
  const Prelude prelude = where == Where::in_a_run && !is_small(c) ? Prelude::none : Prelude::other_problems;
  Trial trial =
      apart ? try_alone(subject, problem, prelude, rules.seconds) : try_here(subject, problem, prelude, rules.seconds);
  if (judge_conduct(verdict, trial)) judge_answer(verdict, problem, hardware, std::move(trial), rules.strictness);
  return verdict;
}

}  // namespace tieout
