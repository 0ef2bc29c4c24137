#include "props/verify/subject_trial.h"

#include <array>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "cases/contents.h"
#include "cases/operators/any_case.h"
#include "cases/random.h"
#include "cases/strings/bytes.h"
#include "cases/text/case_cost.h"
#include "props/generate/operator_twins.h"
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
ConvProblem tiny_problem(const ConvProblem& problem) {
  const ConvCase& like = problem.spec;
  // No other problem is likely to have these scales.
  ConvCase c{.activation_type = like.activation_type, .output_type = like.output_type, .activation_scale = 0.7};
  if (c.output_type != OutputType::int32) c.output_scale = 1.3;
  c.activation = {Fill::listed, {1}};
  c.weight = {Fill::listed, {1}};
  return with_contents(c);
}

// ---- The same for calls of other operators.

void invert(OperatorInput& input) {
  invert(input.contents.values);
  for (float& x : input.floats) x = -x - 1;
}

double other_scale(double scale, double factor) { return scale > 1 ? scale / factor : scale * factor; }

// Returns the case with the parameters that follow from others, if it is valid, else the given one.
OperatorCase valid_or(OperatorCase other, const OperatorCase& given) {
  set_output_parameters(other);
  return validate(other) ? other : given;
}

OperatorCase other_output(const OperatorCase& c) {
  OperatorCase other = c;
  for (OperatorInput& input : other.inputs) {
    invert(input);
    input.quantization.zero_point = 255 - input.quantization.zero_point;
  }
  other.output = {other_scale(c.output.scale, 8), 255 - c.output.zero_point};
  return valid_or(std::move(other), c);
}

// Changes what other_output() does not change.
OperatorCase other_weight(const OperatorCase& c) {
  OperatorCase other = c;
  for (OperatorInput& input : other.inputs) {
    invert(input);
    input.quantization.scale = other_scale(input.quantization.scale, 2);
  }
  return valid_or(std::move(other), c);
}

// Returns a call of the same operator on tensors of one element.
OperatorCase tiny_problem(const OperatorCase& c) {
  OperatorCase tiny = c;
  for (std::size_t i = 0; i < c.attributes.size(); ++i) {
    const AttributeSchema& schema = c.schema->attributes[i];
    std::vector<double>& numbers = tiny.attributes[i];
    const Shape& shape = c.inputs.front().shape;
    const bool of_channels = shape.size() > 1 && std::ssize(numbers) == shape[1];
    if (schema.kind == AttributeSchema::Kind::extents) numbers = {schema.default_value};
    if (schema.kind == AttributeSchema::Kind::numbers && schema.name != "dims" && of_channels) numbers.resize(1);
  }
  for (OperatorInput& input : tiny.inputs) {
    input.shape.assign(input.shape.size(), 1);
    input.strides.clear();
    input.quantization.scale = 0.7;
    if (c.schema->has_float_input) input.floats = {1};
    if (!c.schema->has_float_input) input.contents = {Fill::listed, {1}};
  }
  tiny.output.scale = 1.3;
  return valid_or(std::move(tiny), c);
}

// ---- What the trial needs of both kinds of problems.

Shape shape_of_answer(const ConvProblem& problem) { return output_shape(problem.spec); }
Shape shape_of_answer(const OperatorCase& c) { return output_shape(c); }

bool is_small(const ConvProblem& problem) {
  constexpr std::int64_t kFewProducts = 8'000;
  return product_count(problem.spec) <= kFewProducts;
}
bool is_small(const OperatorCase& c) {
  constexpr std::int64_t kFewElements = 2'000;
  return tensor_elements(c) <= kFewElements;
}

// Decides which twins of a problem are sampled.
Random random_of(const ConvProblem& problem) {
  return {problem.spec.seed, static_cast<std::uint64_t>(reduction_length(problem.spec))};
}
Random random_of(const OperatorCase& c) { return {c.seed, static_cast<std::uint64_t>(tensor_elements(c))}; }
std::uint64_t seed_of(const ConvProblem& problem) { return problem.spec.seed; }
std::uint64_t seed_of(const OperatorCase& c) { return c.seed; }

std::size_t twin_kinds_of(const ConvProblem& /*problem*/) { return twin_kinds(); }
std::size_t twin_kinds_of(const OperatorCase& /*c*/) { return operator_twin_kinds(); }
std::string_view twin_name_for(const ConvProblem& /*problem*/, std::size_t kind) { return twin_name(kind); }
std::string_view twin_name_for(const OperatorCase& /*c*/, std::size_t kind) { return operator_twin_name(kind); }
std::optional<OperatorCase> twin_of(const OperatorCase& c, std::size_t kind) { return operator_twin_of(c, kind); }

// Returns the twin if it costs as little as the problem: a shorter stride can turn a small problem into a large one.
template <typename Problem>
std::optional<Problem> small_twin_of(const Problem& problem, std::size_t kind) {
  auto twin = twin_of(problem, kind);
  return twin && is_small(*twin) ? std::move(twin) : std::nullopt;
}

// Returns two different twins of the problem, chosen by its case.
template <typename Problem>
std::vector<Problem> two_twins(const Problem& problem) {
  Random random = random_of(problem);
  std::vector<Problem> twins;
  for (int tries = 0; tries < 12 && twins.size() < 2; ++tries) {
    auto twin = small_twin_of(problem, random.below(static_cast<std::uint32_t>(twin_kinds_of(problem))));
    if (twin) twins.push_back(std::move(*twin));
  }
  return twins;
}

template <typename Problem>
std::vector<Problem> problems_before(const Problem& problem, WarmUp warm_up) {
  std::vector<Problem> before;
  if (warm_up == WarmUp::none) return before;
  before.push_back(tiny_problem(problem));
  if (warm_up == WarmUp::sampled && Random(seed_of(problem)).chance(1, 2)) {
    for (Problem& twin : two_twins(problem)) before.push_back(std::move(twin));
    return before;
  }
  before.push_back(other_weight(problem));
  before.push_back(other_output(problem));
  if (warm_up != WarmUp::thorough || !is_small(problem)) return before;
  for (std::size_t kind = 0; kind < twin_kinds_of(problem); ++kind) {
    if (auto twin = small_twin_of(problem, kind)) before.push_back(std::move(*twin));
  }
  return before;
}

// Runs each twin and then the problem again. Returns the trial if the answer has changed.
template <typename Problem>
std::optional<Trial> changed_by_a_twin(Subject& subject, const Problem& problem, const Conditions& usual,
                                       const SubjectAnswer& first) {
  if (!is_small(problem)) return {};
  for (std::size_t kind = 0; kind < twin_kinds_of(problem); ++kind) {
    const auto twin = small_twin_of(problem, kind);
    if (!twin) continue;
    // This replaces what the kernel keeps of the problem itself.
    (void)run_on(subject, tiny_problem(problem), usual);
    (void)run_on(subject, *twin, usual);
    SubjectAnswer again = run_on(subject, problem, usual);
    if (again == first) continue;
    if (!again) return failed(again.error());
    Trial trial{.kind = Trial::Kind::unstable,
                .message = std::string(kKeptState) + ", which had " + another(twin_name_for(problem, kind))};
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
template <typename Problem>
std::string_view cause(Subject& subject, const Problem& problem, double seconds, const SubjectAnswer& first) {
  const Conditions usual{.seconds = seconds};
  if (run_on(subject, problem, usual) != first) {
    (void)run_on(subject, tiny_problem(problem), usual);
    for (const Problem& before : {other_weight(problem), other_output(problem)}) (void)run_on(subject, before, usual);
    return run_on(subject, problem, usual) == first ? kKeptState : kUnrepeatable;
  }
  for (const ConditionChange& change : condition_changes(seconds)) {
    if (run_on(subject, problem, change.conditions) != first) return change.text;
  }
  (void)run_on(subject, tiny_problem(problem), usual);
  (void)run_on(subject, other_weight(problem), usual);
  return run_on(subject, problem, usual) != first ? kKeptState : kUnrepeatable;
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

// Returns nothing if pack_trial() cannot have written these bytes for an output of that shape.
std::optional<Trial> unpack_trial(const std::string& bytes, const Shape& shape) {
  ByteReader reader(bytes);
  Trial trial;
  reader.get(trial.kind);
  reader.get(trial.message);
  reader.get(trial.first);
  reader.get(trial.second);
  const auto size = static_cast<std::size_t>(element_count(shape));
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

template <typename Problem>
Trial attempt(Subject& subject, const Problem& problem, WarmUp warm_up, double seconds) {
  const Conditions usual{.seconds = seconds};
  const Conditions other = changed_conditions(seconds);
  // Answers to the other problems do not count, unless the process ends. The tiny problem replaces what a kernel keeps
  // of the last problem; what it keeps for good comes from the first problem that it meets.
  const std::vector<Problem> before = problems_before(problem, warm_up);
  std::vector<Problem> between;
  if (warm_up != WarmUp::none) between = {tiny_problem(problem), other_weight(problem)};
  std::vector<SubjectCall> calls;
  for (const Problem& one : before) calls.push_back({one, usual});
  calls.push_back({problem, usual});
  std::vector<SubjectCall> later;
  for (const Problem& one : between) later.push_back({one, usual});
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

template <typename Problem>
Trial run_trial_on(Subject& subject, const Problem& problem, WarmUp warm_up, double seconds) {
  Trial trial = attempt(subject, problem, warm_up, seconds);
  // A machine that is short of memory kills processes, too. If the subject caused it, it happens again.
  if (trial.kind == Trial::Kind::died && trial.message.starts_with("SIGKILL"))
    trial = attempt(subject, problem, warm_up, seconds);
  return trial;
}

template <typename Problem>
Trial run_call_on(Subject& subject, const Problem& problem, double seconds) {
  SubjectAnswer answer = run_on(subject, problem, {.seconds = seconds});
  if (!answer) return failed(answer.error());
  return {.kind = Trial::Kind::answered, .message = {}, .first = std::move(answer->values)};
}

template <typename Problem>
Trial run_trial_alone_on(Subject& subject, const Problem& problem, WarmUp warm_up, double seconds) {
  if (subject.isolation() != Isolation::none) {
    Trial whole = run_trial_on(subject, problem, warm_up, seconds);
    if (warm_up == WarmUp::none || !has_ended(whole)) return whole;
    const Trial without = run_trial_on(subject, problem, WarmUp::none, seconds);
    if (has_ended(without)) return without;
    whole.message += kAfterOthers;
    return whole;
  }
  const auto attempt_alone = [&](WarmUp before) -> tl::expected<Trial, ExitReason> {
    // `seconds` limits one call, and there are several.
    const auto run = [&] {
      return run_alone([&] { return pack_trial(run_trial_on(subject, problem, before, seconds)); }, seconds);
    };
    auto bytes = run();
    // What came from outside may not happen again.
    if (!bytes && bytes.error().by_machine) bytes = run();
    if (!bytes) return tl::unexpected(bytes.error());
    auto trial = unpack_trial(*bytes, shape_of_answer(problem));
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

}  // namespace

Trial run_trial(Subject& subject, const ConvProblem& problem, WarmUp warm_up, double seconds) {
  return run_trial_on(subject, problem, warm_up, seconds);
}
Trial run_trial(Subject& subject, const OperatorCase& c, WarmUp warm_up, double seconds) {
  return run_trial_on(subject, c, warm_up, seconds);
}

Trial run_call(Subject& subject, const ConvProblem& problem, double seconds) {
  return run_call_on(subject, problem, seconds);
}
Trial run_call(Subject& subject, const OperatorCase& c, double seconds) { return run_call_on(subject, c, seconds); }

Trial run_trial_alone(Subject& subject, const ConvProblem& problem, WarmUp warm_up, double seconds) {
  return run_trial_alone_on(subject, problem, warm_up, seconds);
}
Trial run_trial_alone(Subject& subject, const OperatorCase& c, WarmUp warm_up, double seconds) {
  return run_trial_alone_on(subject, c, warm_up, seconds);
}

}  // namespace tieout
