#include "props/verify/subject_trial.h"

#include <array>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "cases/contents.h"
#include "cases/random.h"
#include "cases/strings/bytes.h"
#include "cases/text/case_cost.h"
#include "props/generate/twins.h"
#include "props/process/forked_task.h"

namespace tieout {
namespace {

Trial::Kind trial_kind(SubjectError::Kind kind) {
  switch (kind) {
    case SubjectError::Kind::declined: return Trial::Kind::declined;
    case SubjectError::Kind::absent: return Trial::Kind::absent;
    case SubjectError::Kind::died: return Trial::Kind::died;
    case SubjectError::Kind::hung: return Trial::Kind::hung;
    case SubjectError::Kind::no_resources: return Trial::Kind::no_resources;
    case SubjectError::Kind::misbehaved: break;
  }
  return Trial::Kind::misbehaved;
}

Trial failed(const SubjectError& error) { return {.kind = trial_kind(error.kind), .message = error.message}; }

void invert(std::vector<std::uint8_t>& activation) {
  for (std::uint8_t& x : activation) x = static_cast<std::uint8_t>(~x);
}

// Returns a problem of the same shape with another output. A kernel may cache data that depends on the weight and the
// input's scales, or on the output's parameters: this function changes one half of them and other_weight() the other
// half, so that data which is found by the unchanged half is stale.
ConvProblem other_output(const ConvProblem& problem) {
  ConvProblem other = problem;
  invert(other.activation);
  ConvCase& c = other.spec;
  c.activation_zero_point = 255 - c.activation_zero_point;
  for (std::int32_t& bias : c.int32_bias) bias = ~bias;
  // Of an int32 output, these have no effect and must stay.
  if (c.output_type == OutputType::int32) return other;
  c.output_zero_point = 255 - c.output_zero_point;
  c.output_scale = c.output_scale > 1 ? c.output_scale / 8 : c.output_scale * 8;
  for (float& bias : c.bias) bias = -bias - static_cast<float>(c.output_scale);
  return other;
}

// Weight zero points that are 0 stay 0, because a kernel may support no others.
ConvProblem other_weight(const ConvProblem& problem) {
  ConvProblem other = problem;
  invert(other.activation);
  for (std::int8_t& w : other.weight) w = static_cast<std::int8_t>(~w);
  ConvCase& c = other.spec;
  c.activation_scale = c.activation_scale > 1 ? c.activation_scale / 2 : c.activation_scale * 2;
  for (double& scale : c.weight_scales) scale = scale > 1 ? scale / 4 : scale * 4;
  for (std::int64_t& zero_point : c.weight_zero_points) zero_point = zero_point == 0 ? 0 : -1 - zero_point;
  return other;
}

// Returns a problem of one product in the types of the case.
ConvProblem tiny_problem(const ConvCase& like) {
  // No other problem is likely to have these scales.
  ConvCase c{.activation_type = like.activation_type, .output_type = like.output_type, .activation_scale = 0.7};
  if (c.output_type != OutputType::int32) c.output_scale = 1.3;
  c.activation = {Fill::listed, {1}};
  c.weight = {Fill::listed, {1}};
  return with_contents(c);
}

bool affords_twins(const ConvCase& c) {
  constexpr std::int64_t kFewProducts = 8'000;
  return product_count(c) <= kFewProducts;
}

// Returns the twin if it costs as little as the problem: a shorter stride can turn a small problem into a large one.
std::optional<ConvProblem> small_twin_of(const ConvProblem& problem, std::size_t kind) {
  auto twin = twin_of(problem, kind);
  return twin && affords_twins(twin->spec) ? std::move(twin) : std::nullopt;
}

// Returns two different twins of the problem, chosen by its case.
std::vector<ConvProblem> two_twins(const ConvProblem& problem) {
  Random random(problem.spec.seed, static_cast<std::uint64_t>(reduction_length(problem.spec)));
  std::vector<ConvProblem> twins;
  for (int tries = 0; tries < 12 && twins.size() < 2; ++tries) {
    auto twin = small_twin_of(problem, random.below(static_cast<std::uint32_t>(twin_kinds())));
    if (twin) twins.push_back(std::move(*twin));
  }
  return twins;
}

std::vector<ConvProblem> problems_before(const ConvProblem& problem, WarmUp warm_up) {
  std::vector<ConvProblem> before;
  if (warm_up == WarmUp::none) return before;
  before.push_back(tiny_problem(problem.spec));
  if (warm_up == WarmUp::sampled && Random(problem.spec.seed).chance(1, 2)) {
    for (ConvProblem& twin : two_twins(problem)) before.push_back(std::move(twin));
    return before;
  }
  before.push_back(other_weight(problem));
  before.push_back(other_output(problem));
  if (warm_up != WarmUp::thorough || !affords_twins(problem.spec)) return before;
  for (std::size_t kind = 0; kind < twin_kinds(); ++kind) {
    if (auto twin = small_twin_of(problem, kind)) before.push_back(std::move(*twin));
  }
  return before;
}

// Runs each twin and then the problem again. Returns the trial if the answer has changed.
std::optional<Trial> changed_by_a_twin(Subject& subject, const ConvProblem& problem, const Conditions& usual,
                                       const SubjectAnswer& first) {
  if (!affords_twins(problem.spec)) return {};
  for (std::size_t kind = 0; kind < twin_kinds(); ++kind) {
    const auto twin = small_twin_of(problem, kind);
    if (!twin) continue;
    // This replaces what the kernel keeps of the problem itself.
    (void)subject.run(tiny_problem(problem.spec), usual);
    (void)subject.run(*twin, usual);
    SubjectAnswer again = subject.run(problem, usual);
    if (again == first) continue;
    if (!again) return failed(again.error());
    Trial trial{.kind = Trial::Kind::unstable,
                .message = std::string(kKeptState) + ", which had " + another(twin_name(kind))};
    trial.first = first->values;
    trial.second = std::move(again->values);
    return trial;
  }
  return {};
}

// Returns the conditions of a second call, all of which differ from the usual ones.
Conditions changed_conditions(double seconds) {
  return {.placement = Conditions::Placement::at_begin,
          .output_fill = 0x5A,
          .memory_fill = 0x3C,
          .caller = Conditions::Caller::new_thread,
          .seconds = seconds};
}

// Returns which condition changes the answer, by changing one of them at a time.
std::string_view cause(Subject& subject, const ConvProblem& problem, double seconds, const SubjectAnswer& first) {
  const Conditions usual{.seconds = seconds};
  if (subject.run(problem, usual) != first) {
    (void)subject.run(tiny_problem(problem.spec), usual);
    for (const ConvProblem& before : {other_weight(problem), other_output(problem)}) (void)subject.run(before, usual);
    return subject.run(problem, usual) == first ? kKeptState : kUnrepeatable;
  }
  for (const ConditionChange& change : condition_changes(seconds)) {
    if (subject.run(problem, change.conditions) != first) return change.text;
  }
  (void)subject.run(tiny_problem(problem.spec), usual);
  (void)subject.run(other_weight(problem), usual);
  return subject.run(problem, usual) != first ? kKeptState : kUnrepeatable;
}

// ---- conversion of a trial to bytes and back, to pass it between processes

std::string pack_trial(const Trial& trial) {
  ByteWriter bytes;
  bytes.put(trial.kind);
  bytes.put(trial.message);
  bytes.put(trial.first);
  bytes.put(trial.second);
  return bytes.take();
}

// Returns nothing if pack_trial() cannot have written these bytes for such a problem.
std::optional<Trial> unpack_trial(const std::string& bytes, const ConvProblem& problem) {
  ByteReader reader(bytes);
  Trial trial;
  reader.get(trial.kind);
  reader.get(trial.message);
  reader.get(trial.first);
  reader.get(trial.second);
  const auto size = static_cast<std::size_t>(element_count(output_shape(problem.spec)));
  const bool unstable = trial.kind == Trial::Kind::unstable;
  const bool answered = unstable || trial.kind == Trial::Kind::answered;
  const bool fits = trial.first.size() == (answered ? size : 0) && trial.second.size() == (unstable ? size : 0);
  if (!reader.complete() || trial.kind > Trial::Kind::no_resources || !fits) return {};
  return trial;
}

}  // namespace

std::array<ConditionChange, 4> condition_changes(double seconds) {
  const Conditions all = changed_conditions(seconds);
  const auto with = [&](auto member) {
    Conditions changed{.seconds = seconds};
    changed.*member = all.*member;
    return changed;
  };
  return {{
      {"unwritten output: the answer holds what the output held before", with(&Conditions::output_fill)},
      {"uninitialised memory: the answer depends on what malloc or the stack held before",
       with(&Conditions::memory_fill)},
      {"alignment: the answer depends on where its buffers lie", with(&Conditions::placement)},
      {"thread: another thread is answered differently", with(&Conditions::caller)},
  }};
}

namespace {

Trial attempt(Subject& subject, const ConvProblem& problem, WarmUp warm_up, double seconds) {
  const Conditions usual{.seconds = seconds};
  const Conditions other = changed_conditions(seconds);
  // Answers to the other problems do not count, unless the process ends. The tiny problem replaces what a kernel keeps
  // of the last problem; what it keeps for good comes from the first problem that it meets.
  const std::vector<ConvProblem> before = problems_before(problem, warm_up);
  std::vector<ConvProblem> between;
  if (warm_up != WarmUp::none) between = {tiny_problem(problem.spec), other_weight(problem)};
  std::vector<SubjectCall> calls;
  for (const ConvProblem& one : before) calls.push_back({one, usual});
  calls.push_back({problem, usual});
  std::vector<SubjectCall> later;
  for (const ConvProblem& one : between) later.push_back({one, usual});
  later.push_back({problem, other});
  // The twins come between the two calls, and are run one by one.
  const bool thorough = warm_up == WarmUp::thorough;
  for (const SubjectCall& one : later) {
    if (!thorough) calls.push_back(one);
  }
  std::vector<SubjectAnswer> answers = subject.run_all(calls);
  if (has_ended(answers.back())) return failed(answers.back().error());
  SubjectAnswer first = answers[before.size()];
  if (!first) return failed(first.error());
  if (thorough) {
    if (auto trial = changed_by_a_twin(subject, problem, usual, first)) return std::move(*trial);
    answers = subject.run_all(later);
    if (has_ended(answers.back())) return failed(answers.back().error());
  }
  SubjectAnswer second = std::move(answers.back());
  if (first == second) return {.kind = Trial::Kind::answered, .message = {}, .first = std::move(first->values)};
  if (!second && second.error().kind != SubjectError::Kind::declined) return failed(second.error());
  Trial trial{.kind = Trial::Kind::unstable, .message = std::string(cause(subject, problem, seconds, first))};
  trial.first = std::move(first->values);
  trial.second = second ? std::move(second->values) : trial.first;
  return trial;
}

bool has_ended(const Trial& trial) { return trial.kind == Trial::Kind::died || trial.kind == Trial::Kind::hung; }

constexpr std::string_view kAfterOthers = ", after it was asked for other problems";

}  // namespace

Trial run_trial(Subject& subject, const ConvProblem& problem, WarmUp warm_up, double seconds) {
  Trial trial = attempt(subject, problem, warm_up, seconds);
  // A machine that is short of memory kills processes, too. If the subject caused it, it happens again.
  if (trial.kind == Trial::Kind::died && trial.message.starts_with("SIGKILL"))
    trial = attempt(subject, problem, warm_up, seconds);
  return trial;
}

Trial run_call(Subject& subject, const ConvProblem& problem, double seconds) {
  SubjectAnswer answer = subject.run(problem, {.seconds = seconds});
  if (!answer) return failed(answer.error());
  return {.kind = Trial::Kind::answered, .message = {}, .first = std::move(answer->values)};
}

Trial run_trial_alone(Subject& subject, const ConvProblem& problem, WarmUp warm_up, double seconds) {
  if (subject.isolation() != Isolation::none) {
    Trial whole = run_trial(subject, problem, warm_up, seconds);
    if (warm_up == WarmUp::none || !has_ended(whole)) return whole;
    const Trial without = run_trial(subject, problem, WarmUp::none, seconds);
    if (has_ended(without)) return without;
    whole.message += kAfterOthers;
    return whole;
  }
  const auto attempt_alone = [&](WarmUp before) -> tl::expected<Trial, ExitReason> {
    // `seconds` limits one call, and there are several.
    const auto run = [&] {
      return run_alone([&] { return pack_trial(run_trial(subject, problem, before, seconds)); }, seconds);
    };
    auto bytes = run();
    // What came from outside may not happen again.
    if (!bytes && bytes.error().by_machine) bytes = run();
    if (!bytes) return tl::unexpected(bytes.error());
    auto trial = unpack_trial(*bytes, problem);
    if (!trial) return tl::unexpected(ExitReason{.stderr_tail = "wrote over its own answer"});
    return std::move(*trial);
  };
  const auto whole = attempt_alone(warm_up);
  if (whole) return *whole;
  const auto died = [](const ExitReason& reason, std::string_view when) -> Trial {
    const Trial::Kind kind = reason.timed_out ? Trial::Kind::hung : Trial::Kind::died;
    return {.kind = kind, .message = reason.text() + std::string(when)};
  };
  if (warm_up == WarmUp::none) return died(whole.error(), "");
  if (const auto without = attempt_alone(WarmUp::none); !without) return died(without.error(), "");
  return died(whole.error(), kAfterOthers);
}

}  // namespace tieout
