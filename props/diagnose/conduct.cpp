#include "props/diagnose/conduct.h"

#include <chrono>
#include <vector>

#include "cases/contents.h"
#include "cases/random.h"
#include "props/generate/strategy.h"
#include "props/process/forked_task.h"
#include "props/verify/subject_trial.h"

namespace tieout {
namespace {

constexpr std::int64_t kCases = 700;
// After the first case that fails: enough for a condition.
constexpr std::int64_t kFurther = 200;

std::int64_t products_of(const ConvCase& c) { return element_count(output_shape(c)) * reduction_length(c); }

// Returns what is wrong with a trial; empty if nothing is, or if the subject declined.
std::string fault_of(const Trial& trial) {
  switch (trial.kind) {
    case Trial::Kind::unstable:
    case Trial::Kind::misbehaved: return trial.message;
    case Trial::Kind::died: return "crash: " + trial.message;
    case Trial::Kind::hung: return "hang: " + trial.message;
    default: return {};
  }
}

// Returns the kind of a fault, by which the cases that show it are told from others.
std::string_view kind_of(std::string_view text) { return text.substr(0, text.find(':')); }

}  // namespace

std::optional<Conduct> find_conduct(Subject& subject, const DiagnoseOptions& options, double seconds) {
  struct Outcome {
    ConvCase c;
    std::string fault;
  };
  std::vector<Outcome> outcomes;
  std::optional<std::size_t> first;
  const auto start = std::chrono::steady_clock::now();
  const auto draw = [&](std::int64_t index) {
    return case_of(options.seed, static_cast<std::uint64_t>(index), kForSubjects, options.domain);
  };
  const auto note = [&](std::int64_t index, std::string fault) {
    if (!fault.empty() && !first) first = outcomes.size();
    outcomes.push_back({draw(index), std::move(fault)});
  };
  run_task({.end = kCases,
            .seconds = 8 * seconds + Subject::kSecondsToLoad,
            .work =
                [&](std::int64_t index) {
                  const ConvProblem problem = with_contents(draw(index));
                  constexpr std::int64_t kSmall = 20'000;
                  const bool small = products_of(problem.spec) <= kSmall;
                  return fault_of(run_trial(subject, problem, small ? WarmUp::sampled : WarmUp::none, seconds));
                },
            .answered = [&](std::int64_t index, const std::string& fault) { note(index, fault); },
            .died =
                [&](std::int64_t index, const ExitReason& reason) {
                  note(index, (reason.timed_out ? "hang: " : "crash: ") + reason.text());
                }},
           [&] {
             const auto done = std::ssize(outcomes);
             const double elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
             const bool enough = first && done > static_cast<std::int64_t>(*first) + kFurther;
             return !enough && elapsed < options.seconds / 2 && options.progress("conduct", done, kCases);
           });
  if (!first) return {};
  Conduct conduct{.text = outcomes[*first].fault, .c = {}, .condition = {}, .cases = std::ssize(outcomes)};
  std::vector<Variables> failing;
  std::vector<Variables> others;
  const Outcome* smallest = nullptr;
  for (const Outcome& outcome : outcomes) {
    const bool fails = !outcome.fault.empty() && kind_of(outcome.fault) == kind_of(conduct.text);
    (fails ? failing : others)
        .push_back(ModelProblem({.spec = outcome.c, .activation = {}, .weight = {}}).variables(0));
    if (fails && (smallest == nullptr || products_of(outcome.c) < products_of(smallest->c))) smallest = &outcome;
  }
  conduct.failing = std::ssize(failing);
  conduct.c = smallest->c;
  conduct.text = smallest->fault;
  // All conditions of a call are tried on the smallest case, one after the other, which names the one that matters.
  const Trial trial = run_trial_alone(subject, with_contents(conduct.c), WarmUp::thorough, seconds);
  if (const std::string fault = fault_of(trial); !fault.empty() && kind_of(fault) == kind_of(conduct.text)) {
    conduct.text = fault;
  }
  // Whether a kernel depends on the call before does not follow from the case alone.
  if (kind_of(conduct.text) == "crash" || kind_of(conduct.text) == "hang") {
    if (const auto condition = separate(failing, others, false)) conduct.condition = condition->text();
  }
  return conduct;
}

}  // namespace tieout
