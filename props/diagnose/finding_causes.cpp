#include "props/diagnose/finding_causes.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <utility>

#include "cases/contents.h"
#include "cases/text/case_text.h"
#include "oracle/hypotheses/mismatch_class.h"
#include "props/diagnose/diagnosis_text.h"
#include "props/diagnose/emit_kernel.h"
#include "props/diagnose/tap_picture.h"
#include "reports/formats/finding_text.h"

namespace tieout {
namespace {

using Bytes = std::vector<std::uint8_t>;

// Finds the cause of one answer.
class CauseOfAnswer {
 public:
  explicit CauseOfAnswer(const Diagnosis& diagnosis) : model_(diagnosis.model) {
    for (std::size_t i = 0; i < model_.size(); ++i) {
      KernelModel rest = model_;
      rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(i));
      without_.push_back(std::move(rest));
      proven_.push_back(i < diagnosis.causes.size() && diagnosis.causes[i].explains > 0);
    }
  }

  // Returns the number of the cause, kContract if the answer is the contract's, or kNone.
  static constexpr int kContract = -1, kNone = -2;
  [[nodiscard]] int find(const ConvProblem& problem, const Bytes& y) const {
    const ModelProblem prepared(problem);
    if (prepared.elements() != std::ssize(y)) return kNone;
    if (count_wrong({}, prepared, y) == 0) return kContract;
    if (model_.empty() || count_wrong(model_, prepared, y) > 0) return kNone;
    int cause = kNone;
    std::int64_t most = 0;
    for (std::size_t i = 0; i < without_.size(); ++i) {
      const std::int64_t needed_at = count_wrong(without_[i], prepared, y);
      if (needed_at > 0 && !proven_[i]) return kNone;
      if (needed_at <= most) continue;
      most = needed_at;
      cause = static_cast<int>(i);
    }
    // Several edits may have the same effect on a case, so that none of them is needed.
    for (std::size_t i = 0; i < model_.size() && cause == kNone; ++i) {
      if (proven_[i] && count_wrong({model_[i]}, prepared, y) == 0) cause = static_cast<int>(i);
    }
    return cause;
  }

 private:
  static std::int64_t count_wrong(const KernelModel& model, const ModelProblem& problem, const Bytes& y) {
    const std::vector<int> predicted = evaluate_all(model, problem);
    std::int64_t wrong = 0;
    for (std::size_t i = 0; i < y.size(); ++i) wrong += predicted[i] != y[i] ? 1 : 0;
    return wrong;
  }

  const KernelModel& model_;
  std::vector<KernelModel> without_;  // the model without each of its edits
  std::vector<bool> proven_;
};

// Returns the problem of a finding whose values alone may have a cause.
std::optional<ConvProblem> problem_of(const Finding& finding) {
  if (!is_guess(finding) || !has_tensors(finding) || !finding.before.empty()) return {};
  auto c = parse(finding.case_line);
  if (!c || c->output_type == OutputType::int32) return {};  // the model of a diagnosis computes bytes
  return with_contents(std::move(*c));
}

// Returns the cause of findings at which the reference is the one that departs; its smallest case is the shortest.
ReportedCause reference_departs(const RunSummary& run) {
  ReportedCause cause{.text = std::string(kReferenceDeparts), .condition = {}};
  for (const Finding& finding : run.findings) {
    const bool shorter = cause.case_line.empty() || finding.case_line.size() < cause.case_line.size();
    if (finding.cause != kReferenceDeparts || !shorter || finding.elements.empty()) continue;
    cause.case_line = finding.case_line;
    cause.replay = replay_command(finding);
    cause.expected = finding.elements.front().expected;
    cause.actual = finding.elements.front().actual;
  }
  return cause;
}

// Returns the sampled kinds of a run that are guesses.
std::set<std::string> guessed_kinds(const RunSummary& run) {
  std::set<std::string> kinds;
  for (int i = 0; i <= static_cast<int>(MismatchClass::unexplained); ++i) {
    kinds.emplace(name(static_cast<MismatchClass>(i)));
  }
  for (const Finding& finding : run.findings) {
    if (is_guess(finding)) kinds.insert(counted_kind(finding));
  }
  return kinds;
}

// Returns the subject's answer to the finding's case as the case holds it.
Bytes answer_as_held(const Finding& finding, const ConvProblem& problem) {
  Bytes bytes;
  const int shift = stored_shift(problem.spec.output_type);
  for (const std::int32_t value : finding.actual.values) bytes.push_back(static_cast<std::uint8_t>(value + shift));
  return bytes;
}

// Returns the first attempt for an index that the kernel does not decline, with its answer.
std::optional<std::pair<ConvProblem, Bytes>> answer_of(const KernelAnswer& kernel, const DifferingCases& differing,
                                                       std::int64_t index) {
  for (std::int64_t attempt = 0;; ++attempt) {
    auto c = differing.draw(index, attempt);
    if (!c) return {};
    ConvProblem problem = with_contents(std::move(*c));
    if (auto y = kernel(problem)) return std::pair{std::move(problem), std::move(*y)};
  }
}

}  // namespace

std::vector<ConvCase> unexplained_cases(const RunSummary& run) {
  std::vector<ConvCase> cases;
  for (const Finding& finding : run.findings) {
    if (auto problem = problem_of(finding)) cases.push_back(std::move(problem->spec));
  }
  return cases;
}

bool follows_contract(const RunSummary& run) {
  const Diagnosis none;
  const CauseOfAnswer cause_of(none);
  return std::ranges::all_of(run.findings, [&](const Finding& finding) {
    const auto problem = problem_of(finding);
    return !problem || cause_of.find(*problem, answer_as_held(finding, *problem)) == CauseOfAnswer::kContract;
  });
}

// NOLINTNEXTLINE(readability-function-size): its steps in their order
void set_causes(RunSummary& run, const Diagnosis& diagnosis, const KernelAnswer& kernel,
                const DifferingCases& differing, const std::string& subject, const std::function<bool()>& go_on) {
  const CauseOfAnswer cause_of(diagnosis);
  for (Finding& finding : run.findings) {
    const auto problem = problem_of(finding);
    const int number = problem ? cause_of.find(*problem, answer_as_held(finding, *problem)) : CauseOfAnswer::kNone;
    if (number == CauseOfAnswer::kContract) finding.cause = kReferenceDeparts;
    if (number < 0) continue;
    const Edit& edit = diagnosis.causes[static_cast<std::size_t>(number)].edit;
    finding.cause = edit.text();
    finding.condition = edit.condition.text();
  }
  std::int64_t left = 0;
  const std::set<std::string> guessed = guessed_kinds(run);
  run.cases_by_cause.clear();
  for (const auto& [kind, count] : run.differences) {
    if (guessed.contains(kind)) {
      left += count;
    } else {
      run.cases_by_cause[kind] += count;
    }
  }
  std::map<int, std::int64_t> cases;
  if (differing.draw == nullptr) {
    // All cases were given, and those that differ are the findings.
    for (const Finding& finding : run.findings) {
      const auto cause = std::ranges::find_if(diagnosis.causes, [&](const Cause& one) {
        return finding.cause == one.edit.text() && finding.condition == one.edit.condition.text();
      });
      if (finding.cause.empty() || left == 0) continue;
      ++cases[cause == diagnosis.causes.end() ? CauseOfAnswer::kContract
                                              : static_cast<int>(cause - diagnosis.causes.begin())];
      --left;
    }
  }
  for (const std::int64_t index : differing.indices) {
    if (left == 0 || !go_on()) break;
    const auto answer = answer_of(kernel, differing, index);
    const int number = answer ? cause_of.find(answer->first, answer->second) : CauseOfAnswer::kNone;
    if (number == CauseOfAnswer::kNone) continue;
    ++cases[number];
    --left;
  }
  run.causes.clear();
  for (std::size_t i = 0; i < diagnosis.causes.size(); ++i) {
    const auto found = cases.find(static_cast<int>(i));
    const bool of_a_finding = std::ranges::any_of(run.findings, [&](const Finding& finding) {
      const Edit& edit = diagnosis.causes[i].edit;
      return finding.cause == edit.text() && finding.condition == edit.condition.text();
    });
    if (found == cases.end() && !of_a_finding) continue;
    run.causes.push_back(reported_cause(diagnosis.causes[i], diagnosis, subject));
    run.causes.back().cases = found == cases.end() ? 0 : found->second;
  }
  const bool departs =
      std::ranges::any_of(run.findings, [](const Finding& finding) { return finding.cause == kReferenceDeparts; });
  if (departs) {
    run.causes.push_back(reference_departs(run));
    run.causes.back().cases = cases[CauseOfAnswer::kContract];
  } else {
    left += cases[CauseOfAnswer::kContract];
  }
  std::ranges::stable_sort(run.causes, std::greater{}, &ReportedCause::cases);
  for (const ReportedCause& cause : run.causes) run.cases_by_cause[name_of(cause)] = cause.cases;
  if (left > 0) run.cases_by_cause[std::string(kUnexplained)] = left;
}

}  // namespace tieout
