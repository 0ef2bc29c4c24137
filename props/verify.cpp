#include "props/verify.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>

#include "cases/case_text.h"
#include "cases/contents.h"
#include "oracle/difference_class.h"
#include "oracle/engine_model.h"
#include "props/isolated.h"
#include "props/shrink.h"
#include "reports/diff.h"

namespace tieout {
namespace {

constexpr std::size_t kMaxListedElements = 20;

std::vector<DiffElement> describe(const Diff& d, const Tensor<std::uint8_t>& expected,
                                  const Tensor<std::uint8_t>& actual, const std::vector<ElementTrace>& traces) {
  std::vector<DiffElement> elements;
  for (const std::int64_t offset : d.offsets) {
    if (elements.size() == kMaxListedElements) break;
    const auto at = static_cast<std::size_t>(offset);
    elements.push_back({.offset = offset,
                        .expected = expected.values[at],
                        .actual = actual.values[at],
                        .accumulator = traces[at].accumulator,
                        .scaled = traces[at].scaled});
  }
  return elements;
}

void end_without_answer(Verdict& verdict, Status status, std::string reason) {
  verdict.status = status;
  verdict.reason = std::move(reason);
}

void fail(Verdict& verdict, std::string failure) {
  verdict.status = Status::differed;
  verdict.finding.failure = std::move(failure);
}

std::string known(const KnownDefect& defect, std::string_view what) {
  return "known defect " + std::string(defect.id) + ": " + std::string(what);
}

// The case as predictions need it: with the instruction set that FBGEMM takes where none is forced. That is not always the
// best that the CPU has: FBGEMM's own environment variable limits it.
void name_isa(ConvCase& c, const LibTorch& reference) {
  if (c.execution.isa == Isa::native) c.execution.isa = reference.native_isa();
}

// Compares the answer with our prediction of it.
void judge(Verdict& verdict, const ConvProblem& problem, const Hardware& hardware, EngineAnswer answer) {
  const ConvCase& c = problem.spec;
  const Engine foretold = c.execution.engine == Engine::x86 ? x86_picks(c, hardware) : c.execution.engine;
  verdict.picked = answer.picked;
  if (answer.picked != foretold) {
    return fail(verdict, "picked " + std::string(name(answer.picked)) + ", and not " + std::string(name(foretold)));
  }
  if (answer.y.shape != output_shape(c)) return fail(verdict, "answered in another shape");

  const bool by_fbgemm = answer.picked == Engine::fbgemm;
  const Arithmetic arithmetic = by_fbgemm ? fbgemm_arithmetic(c, hardware) : Arithmetic{};
  verdict.traces = conv_relu_traces(problem, arithmetic);
  Tensor<std::uint8_t> actual{output_shape(c), {}};
  if (by_fbgemm) {
    for (const ElementTrace& trace : verdict.traces) actual.values.push_back(trace.result);
  } else {
    actual = predict(problem, answer.picked, hardware);
  }
  const Diff d = diff(answer.y, actual);
  verdict.expected = std::move(answer.y);
  // What leaves its buffers and answers rightly was lucky; what is wrong where that is known is no news.
  if (verdict.defect != nullptr && (verdict.defect->memory || !d.equal())) {
    return end_without_answer(verdict, Status::mistrusted, known(*verdict.defect, d.equal() ? "equal" : "differs"));
  }
  verdict.elements = d.elements;
  if (d.equal()) return;
  verdict.status = Status::differed;
  Finding& finding = verdict.finding;
  if (by_fbgemm) {
    const Difference difference = classify_difference(problem, arithmetic, verdict.expected, actual);
    finding.diff_class = name(difference.cls);
    finding.derivation = difference.exchanged;
    finding.explained = difference.explained;
  } else {
    finding.diff_class = name(DifferenceClass::unexplained);
  }
  finding.actual_name = by_fbgemm ? "scalar" : std::string(name(answer.picked)) + "_model";
  finding.elements = describe(d, verdict.expected, actual, verdict.traces);
  finding.expected = verdict.expected;
  finding.actual = std::move(actual);
}

// The reference's answer, or how it failed to give one.
struct Failure {
  enum class Kind { absent, unsupported, refused, died } kind;
  std::string text;
};
using Answer = tl::expected<EngineAnswer, Failure>;

Answer ask(const ConvProblem& problem, LibTorch& reference) {
  reference.guard_tensors(true);
  auto answer = reference.conv(problem);
  if (answer) return std::move(*answer);
  switch (answer.error().kind) {
    case EngineError::Kind::absent: return tl::unexpected(Failure{Failure::Kind::absent, answer.error().message});
    case EngineError::Kind::unsupported:
      return tl::unexpected(Failure{Failure::Kind::unsupported, answer.error().message});
    case EngineError::Kind::refused: break;
  }
  return tl::unexpected(Failure{Failure::Kind::refused, answer.error().message});
}

// ---- an answer as bytes, for the way from one process to another

std::string pack(const Answer& answer) {
  if (!answer) return "-" + std::string(1, static_cast<char>(answer.error().kind)) + answer.error().text;
  std::string bytes = "+" + std::string(1, static_cast<char>(answer->picked));
  bytes += static_cast<char>(answer->y.shape.size());
  const auto& [shape, values] = answer->y;
  bytes.append(reinterpret_cast<const char*>(shape.data()), shape.size() * sizeof(shape.front()));
  return bytes.append(reinterpret_cast<const char*>(values.data()), values.size());
}

Answer unpack(const std::string& bytes) {
  if (bytes.front() == '-') return tl::unexpected(Failure{static_cast<Failure::Kind>(bytes[1]), bytes.substr(2)});
  EngineAnswer answer{{}, static_cast<Engine>(bytes[1])};
  answer.y.shape.resize(static_cast<std::size_t>(bytes[2]));
  const std::size_t shape_bytes = answer.y.shape.size() * sizeof(answer.y.shape.front());
  std::memcpy(answer.y.shape.data(), bytes.data() + 3, shape_bytes);
  answer.y.values.assign(bytes.begin() + 3 + static_cast<std::ptrdiff_t>(shape_bytes), bytes.end());
  return answer;
}

// Only the reference runs in the process that may die: what takes long or fails on our side is never laid at its door.
Answer ask_alone(const ConvProblem& problem, LibTorch& reference, double seconds) {
  const auto bytes = run_alone([&] { return pack(ask(problem, reference)); }, seconds);
  if (!bytes) return tl::unexpected(Failure{Failure::Kind::died, bytes.error().text()});
  return unpack(*bytes);
}

void conclude(Verdict& verdict, const ConvProblem& problem, const Hardware& hardware, Answer answer) {
  const std::string refusal_due(refusal(problem.spec, hardware));
  if (answer) {
    if (!refusal_due.empty()) return fail(verdict, "answered what it is known to refuse: " + refusal_due);
    return judge(verdict, problem, hardware, std::move(*answer));
  }
  const std::string& text = answer.error().text;
  switch (answer.error().kind) {
    case Failure::Kind::absent: return end_without_answer(verdict, Status::errored, text);
    case Failure::Kind::unsupported: return end_without_answer(verdict, Status::skipped, text);
    case Failure::Kind::refused:
      if (refusal_due.empty()) return fail(verdict, "refused: " + text);
      return end_without_answer(verdict, Status::skipped, "refused, as known: " + refusal_due);
    case Failure::Kind::died: break;
  }
  if (verdict.defect != nullptr) return end_without_answer(verdict, Status::mistrusted, known(*verdict.defect, text));
  verdict.finding.failure = "died: " + text;
  end_without_answer(verdict, Status::crashed, text);
}

// Everything about a case, whoever is asked: `ask` runs the reference.
template <typename Ask>
Verdict verify_by(const ConvCase& c, LibTorch& reference, Ask ask) {
  const Hardware hardware = reference.hardware();
  ConvProblem problem = with_contents(c);
  Verdict verdict;
  verdict.finding.case_line = verdict.finding.original_line = print(c);
  verdict.finding.expected_name = name(c.execution.engine);
  verdict.path = fbgemm_path(c, hardware);
  name_isa(problem.spec, reference);
  verdict.defect = known_defect(problem.spec, hardware);
  const Isa named = std::exchange(problem.spec.execution.isa, c.execution.isa);
  const std::optional<Answer> answer = ask(problem, verdict);
  problem.spec.execution.isa = named;
  if (answer) conclude(verdict, problem, hardware, *answer);
  return verdict;
}

}  // namespace

Verdict verify(const ConvCase& c, LibTorch& reference) {
  return verify_by(c, reference, [&](const ConvProblem& problem, Verdict& verdict) -> std::optional<Answer> {
    if (verdict.defect == nullptr || !verdict.defect->memory) return ask(problem, reference);
    end_without_answer(verdict, Status::skipped, known(*verdict.defect, "not run"));
    return {};
  });
}

Verdict verify_alone(const ConvCase& c, LibTorch& reference, double seconds) {
  return verify_by(c, reference, [&](const ConvProblem& problem, const Verdict&) -> std::optional<Answer> {
    return ask_alone(problem, reference, seconds);
  });
}

Finding reduce(const Finding& finding, LibTorch& reference, double seconds) {
  const auto original = parse(finding.original_line);
  if (!original) std::abort();  // a finding's line is printed by print()
  const Verdict whole = verify_alone(*original, reference);
  if (whole.status != Status::differed && whole.status != Status::crashed) {
    Finding unrepeatable = finding;
    if (unrepeatable.failure.empty()) {
      unrepeatable.failure = "differed among other cases, but not alone: its answer depends on what ran before";
    }
    return unrepeatable;
  }
  const auto fails_alike = [&](const Verdict& v) {
    return v.status == whole.status && v.path == whole.path && v.picked == whole.picked && v.reason == whole.reason &&
           v.finding.failure == whole.finding.failure && v.finding.diff_class == whole.finding.diff_class;
  };
  std::string smallest = finding.original_line;
  const ShrinkLimits limits{.seconds = seconds};
  if (whole.status == Status::crashed) {
    smallest = print(shrink(
        *original, [&](const ConvCase& candidate) { return fails_alike(verify_alone(candidate, reference)); }, limits));
  } else {
    // One process for all the tries: what differs does not die. If it does, the finding stays as it was drawn.
    const auto found = run_alone(
        [&] {
          const auto fails = [&](const ConvCase& candidate) { return fails_alike(verify(candidate, reference)); };
          return print(shrink(*original, fails, limits));
        },
        60 + seconds);
    if (found) smallest = *found;
  }
  Verdict verdict = verify_alone(*parse(smallest), reference);
  if (!fails_alike(verdict)) return whole.finding;
  verdict.finding.original_line = finding.original_line;
  return std::move(verdict.finding);
}

Cell cell_of(const ConvCase& c, FbgemmPath path, Engine picked, Isa native) {
  const Isa isa = c.execution.isa == Isa::native ? native : c.execution.isa;
  std::string engine(name(c.execution.engine));
  if (c.execution.engine == Engine::x86) engine.append(" by ").append(name(picked));
  return {.engine = engine,
          .isa = picked == Engine::fbgemm ? std::string(name(isa)) : "its own",
          .path = std::string(name(path)),
          .granularity = std::string(name(c.granularity)),
          .bias = c.bias.empty() ? "no bias" : "bias"};
}

}  // namespace tieout
