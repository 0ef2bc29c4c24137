#include "props/verify/verify_subject.h"

#include <utility>

#include "cases/contents.h"
#include "cases/operators/any_case.h"
#include "cases/text/case_cost.h"
#include "cases/text/case_text.h"
#include "oracle/engines/engine_model.h"
#include "props/verify/reference_answer.h"
#include "props/verify/verify.h"
#include "reports/data/tensor_mismatches.h"

namespace tieout {
namespace {

// The name of the exact contract in findings.
constexpr const char* kSpecification = "specification";
// The name of the sums that FBGEMM adds on its path. No operator of LibTorch returns them; they are predicted.
constexpr const char* kSums = "fbgemm_sums";

// Holds the expected values and the name of their source.
struct Expected {
  Answers y;
  std::string name;
};

// Returns our own prediction, for cases on which LibTorch has no answer or is known to be wrong.
Expected predicted(const ConvProblem& problem, Engine engine, const Hardware& hardware) {
  if (is_fbgemm(engine)) return {conv_relu(problem, Arithmetic{}), kSpecification};
  return {predict(problem, engine, hardware), std::string(name(engine)) + "_model"};
}

Expected libtorch_expectation(const ConvProblem& problem, Verdict& verdict, LibTorch& reference, TrialMode where) {
  // Time limit of LibTorch, seconds.
  constexpr double kHang = 60;
  const Hardware hardware = reference.hardware();
  const ConvCase& c = problem.spec;
  if (c.output_type == OutputType::int32) return {predict(problem, Engine::fbgemm_direct, hardware), kSums};
  if (verdict.defect != nullptr || !refusal(c, hardware).empty()) return predicted(problem, verdict.picked, hardware);
  auto answer =
      where == TrialMode::alone ? run_reference_alone(problem, reference, kHang) : run_reference(problem, reference);
  if (!answer || answer->y.shape != output_shape(c)) return predicted(problem, verdict.picked, hardware);
  verdict.picked = answer->picked;
  return {as_answers(answer->y), std::string(name(c.execution.engine))};
}

bool is_quick(const ConvProblem& problem) {
  constexpr std::int64_t kFewProducts = 4'000;
  return product_count(problem.spec) <= kFewProducts;
}
bool is_quick(const OperatorCase& c) {
  constexpr std::int64_t kFewElements = 1'000;
  return tensor_elements(c) <= kFewElements;
}

// Compares the subject's answer with verdict.expected. arithmetic: the reference's; that of the exact contract if it is
// not known. hardware: of LibTorch.
void compare_with_expected(Verdict& verdict, const ConvProblem& problem, const Arithmetic& arithmetic,
                           const Hardware& hardware, Trial trial, Strictness strictness) {
  verdict.traces = conv_relu_traces(problem, arithmetic);
  Answers actual{verdict.expected.shape, std::move(trial.first)};
  const bool unstable = trial.kind == Trial::Kind::unstable;
  if (unstable && actual == verdict.expected) actual.values = std::move(trial.second);
  verdict.elements = std::ssize(actual.values);
  const Answered answer{problem, verdict.expected, verdict.picked, verdict.path, arithmetic, verdict.traces};
  const bool lenient = !unstable && strictness == Strictness::contract;
  Followed followed = lenient ? followed_contract(answer, actual.values)
                              : Followed{.expected = verdict.expected, .contracts = {{arithmetic, verdict.expected}}};
  const TensorMismatches d = compare_tensors(followed.expected, actual);
  if (d.equal() && !unstable) {
    verdict.reason = std::move(followed.deviation);
    if (verdict.reason.empty()) verdict.departure = departure_from_exact(answer, hardware);
    return;
  }
  verdict.status = Status::differed;
  verdict.expected = std::move(followed.expected);
  Finding& finding = verdict.finding;
  if (followed.exact) finding.expected_name = kSpecification;
  if (unstable) {
    verdict.conduct = finding.mismatch_class = trial.message;
  } else {
    classify_finding(verdict, problem, followed.contracts, actual);
  }
  const auto& traces = followed.traces.empty() ? verdict.traces : followed.traces;
  describe_values(finding, problem.spec.output_type, d, verdict.expected, actual, traces);
}

template <typename Problem>
Trial run_subject_on(Subject& subject, const Problem& problem, const Rules& rules, TrialMode where) {
  if (where == TrialMode::once) return run_call(subject, problem, rules.seconds);
  const WarmUp in_a_run = is_quick(problem) ? WarmUp::sampled : WarmUp::none;
  const WarmUp outside = rules.every_twin ? WarmUp::thorough : WarmUp::other_problems;
  const WarmUp warm_up = where == TrialMode::in_a_run ? in_a_run : outside;
  // A program may start slowly, so that only a library is stopped.
  if (where == TrialMode::alone && subject.isolation() == Isolation::library) subject.stop();
  // Within a run, the conditions of a crash do not matter; they are determined when the finding is shrunk.
  const bool here =
      where == TrialMode::in_a_run || (where == TrialMode::here && subject.isolation() == Isolation::none);
  return here ? run_trial(subject, problem, warm_up, rules.seconds)
              : run_trial_alone(subject, problem, warm_up, rules.seconds);
}

// Sets the verdict for a trial of a reference other than LibTorch that gave no answer to compare with.
void set_reference_failure(Verdict& verdict, const Trial& trial) {
  const auto error = [&](const char* what) {
    end_without_answer(verdict, Status::unavailable, std::string("the reference ") + what + ": " + trial.message);
  };
  switch (trial.kind) {
    case Trial::Kind::declined:
      return end_without_answer(verdict, Status::skipped, "declined by the reference: " + trial.message);
    case Trial::Kind::no_resources:
      return end_without_answer(verdict, Status::no_resources, "the reference does not start: " + trial.message);
    case Trial::Kind::hung: return end_without_answer(verdict, Status::unavailable, kReferenceHangs);
    case Trial::Kind::died: return end_without_answer(verdict, Status::unavailable, kReferenceDied + trial.message);
    case Trial::Kind::absent: return error("cannot be started");
    case Trial::Kind::misbehaved: return error("misbehaves");
    case Trial::Kind::answered:
    case Trial::Kind::unstable: return error("is unstable");
  }
}

// Runs a reference other than LibTorch under changed conditions, and without any state of earlier problems if it is a
// library or this is done in a process of its own. A program may start slowly, so that it is not stopped.
template <typename Problem>
Trial try_reference_again(Subject& reference, const Problem& problem, const Rules& rules, TrialMode where) {
  if (reference.isolation() == Isolation::library) reference.stop();
  return where == TrialMode::alone ? run_trial_alone(reference, problem, WarmUp::none, rules.seconds)
                                   : run_trial(reference, problem, WarmUp::none, rules.seconds);
}

template <typename Problem>
std::optional<Answers> ask_other_reference(Verdict& verdict, const Problem& problem, const Shape& shape,
                                           Subject& reference, const Trial& trial, const Rules& rules,
                                           TrialMode where) {
  const auto fail = [&](const Trial& of_reference) {
    set_reference_failure(verdict, of_reference);
    return std::nullopt;
  };
  const Trial expected = where == TrialMode::alone ? try_reference_again(reference, problem, rules, where)
                                                   : run_call(reference, problem, rules.seconds);
  if (expected.kind != Trial::Kind::answered) return fail(expected);
  // The tries of a reduction need no second answer: the smallest case is verified alone at the end.
  const bool equal = trial.kind == Trial::Kind::answered && trial.first == expected.first;
  if (where == TrialMode::in_a_run && !equal) {
    Trial again = try_reference_again(reference, problem, rules, where);
    if (again.kind == Trial::Kind::answered && again.first != expected.first) {
      again.message = "it answers differently in a new process";
    }
    if (again.kind != Trial::Kind::answered || again.first != expected.first) return fail(again);
  }
  return Answers{shape, expected.first};
}

}  // namespace

bool set_conduct(Verdict& verdict, const Trial& trial) {
  switch (trial.kind) {
    case Trial::Kind::answered:
    case Trial::Kind::unstable: return true;
    case Trial::Kind::declined:
      end_without_answer(verdict, Status::skipped, "declined by the subject: " + trial.message);
      break;
    case Trial::Kind::absent: end_without_answer(verdict, Status::unavailable, trial.message); break;
    case Trial::Kind::no_resources: end_without_answer(verdict, Status::no_resources, trial.message); break;
    case Trial::Kind::misbehaved:
      verdict.status = Status::differed;
      verdict.conduct = verdict.finding.failure = trial.message;
      break;
    case Trial::Kind::died:
    case Trial::Kind::hung:
      verdict.finding.failure = "died: " + trial.message;
      end_without_answer(verdict, Status::crashed, trial.message);
      break;
  }
  return false;
}

Trial run_subject(Subject& subject, const ConvProblem& problem, const Rules& rules, TrialMode where) {
  return run_subject_on(subject, problem, rules, where);
}
Trial run_subject(Subject& subject, const OperatorCase& c, const Rules& rules, TrialMode where) {
  return run_subject_on(subject, c, rules, where);
}

std::optional<Answers> answer_of_other(Verdict& verdict, const ConvProblem& problem, Subject& reference,
                                       const Trial& trial, const Rules& rules, TrialMode where) {
  return ask_other_reference(verdict, problem, output_shape(problem.spec), reference, trial, rules, where);
}
std::optional<Answers> answer_of_other(Verdict& verdict, const OperatorCase& c, Subject& reference, const Trial& trial,
                                       const Rules& rules, TrialMode where) {
  return ask_other_reference(verdict, c, output_shape(c), reference, trial, rules, where);
}

Verdict verify_subject(const ConvCase& c, const Reference& reference, Subject& subject, const Rules& rules,
                       TrialMode where) {
  const Hardware hardware = reference.hardware();
  Subject* const other = reference.other();
  ConvProblem problem = with_contents(c);
  Verdict verdict;
  Finding& finding = verdict.finding;
  finding.case_line = finding.original_line = print(c);
  finding.subject = subject.text();
  verdict.path = fbgemm_path(c, hardware);
  problem.spec = as_run(std::move(problem.spec), reference);
  if (other == nullptr) {
    verdict.defect = known_defect(problem.spec, hardware);
    verdict.picked = computing_engine(c, hardware);
    finding.expected_name = name(c.execution.engine);
  } else {
    finding.reference = other->text();
  }
  // The subject runs first, so that no process holds the reference's answer before the subject has answered.
  Trial trial = run_subject(subject, problem, rules, where);
  finding.actual_name = subject.name();
  if (other != nullptr) finding.expected_name = expected_name(*other, subject);
  if (trial.kind == Trial::Kind::declined || trial.kind == Trial::Kind::absent ||
      trial.kind == Trial::Kind::no_resources) {
    (void)set_conduct(verdict, trial);
    return verdict;
  }
  if (other != nullptr) {
    if (!set_conduct(verdict, trial)) return verdict;
    auto expected = answer_of_other(verdict, problem, *other, trial, rules, where);
    if (!expected) return verdict;
    verdict.expected = std::move(*expected);
    compare_with_expected(verdict, problem, Arithmetic{}, Hardware{}, std::move(trial), rules.strictness);
    return verdict;
  }
  Expected expected = libtorch_expectation(problem, verdict, *reference.libtorch(), where);
  verdict.expected = std::move(expected.y);
  finding.expected_name = std::move(expected.name);
  if (!set_conduct(verdict, trial)) return verdict;
  const bool by_fbgemm = is_fbgemm(verdict.picked) && finding.expected_name != kSpecification;
  compare_with_expected(verdict, problem, by_fbgemm ? fbgemm_arithmetic(problem.spec, hardware) : Arithmetic{},
                        hardware, std::move(trial), rules.strictness);
  return verdict;
}

}  // namespace tieout
