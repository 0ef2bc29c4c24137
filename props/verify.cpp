#include "props/verify.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "cases/case_text.h"
#include "cases/contents.h"
#include "oracle/difference_class.h"
#include "oracle/engine_model.h"
#include "props/isolated.h"
#include "props/shrink.h"
#include "reports/diff.h"
#include "reports/finding_json.h"

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

Verdict without_answer(Verdict verdict, Status status, std::string reason) {
  verdict.status = status;
  verdict.reason = std::move(reason);
  return verdict;
}

Verdict failed(Verdict verdict, std::string failure) {
  verdict.status = Status::differed;
  verdict.finding.failure = std::move(failure);
  return verdict;
}

std::string known(const KnownDefect& defect, std::string_view what) {
  return "known defect " + std::string(defect.id) + ": " + std::string(what);
}

// Compares the answer with our prediction of it.
Verdict judged(Verdict verdict, const ConvProblem& problem, const Hardware& hardware, EngineAnswer answer) {
  const ConvCase& c = problem.spec;
  const Engine foretold = c.execution.engine == Engine::x86 ? x86_picks(c, hardware) : c.execution.engine;
  verdict.picked = answer.picked;
  if (answer.picked != foretold) {
    return failed(std::move(verdict),
                  "picked " + std::string(name(answer.picked)) + ", and not " + std::string(name(foretold)));
  }
  if (answer.y.shape != output_shape(c)) return failed(std::move(verdict), "answered in another shape");

  const bool by_fbgemm = answer.picked == Engine::fbgemm;
  verdict.traces =
      conv_relu_traces(problem, by_fbgemm ? fbgemm_arithmetic(verdict.path, c.execution.isa, hardware) : Arithmetic{});
  Tensor<std::uint8_t> actual{output_shape(c), {}};
  if (by_fbgemm) {
    for (const ElementTrace& trace : verdict.traces) actual.values.push_back(trace.result);
  } else {
    actual = predict(problem, answer.picked, hardware);
  }
  const Diff d = diff(answer.y, actual);
  if (verdict.defect != nullptr) {
    return without_answer(std::move(verdict), Status::mistrusted,
                          known(*verdict.defect, d.equal() ? "equal" : "differs"));
  }
  verdict.elements = d.elements;
  if (d.equal()) return verdict;
  verdict.status = Status::differed;
  if (by_fbgemm) {
    const Arithmetic reference = fbgemm_arithmetic(verdict.path, c.execution.isa, hardware);
    const Difference difference = classify_difference(problem, reference, answer.y, actual);
    verdict.finding.diff_class = name(difference.cls);
    verdict.finding.derivation = difference.exchanged;
    verdict.finding.explained = difference.explained;
  } else {
    verdict.finding.diff_class = name(DifferenceClass::unexplained);
  }
  verdict.finding.actual_name = by_fbgemm ? "scalar" : std::string(name(answer.picked)) + "_model";
  verdict.finding.elements = describe(d, answer.y, actual, verdict.traces);
  verdict.finding.expected = std::move(answer.y);
  verdict.finding.actual = std::move(actual);
  return verdict;
}

}  // namespace

Verdict verify(const ConvCase& c, LibTorch& reference, Process process) {
  const Hardware hardware = reference.hardware();
  Verdict verdict;
  verdict.path = fbgemm_path(c, hardware);
  verdict.defect = known_defect(c, hardware);
  verdict.finding.case_line = verdict.finding.original_line = print(c);
  verdict.finding.expected_name = name(c.execution.engine);
  if (const auto can = reference.available(c.execution); !can) {
    return without_answer(std::move(verdict), Status::skipped, can.error().message);
  }
  if (verdict.defect != nullptr && verdict.defect->memory && process == Process::must_live) {
    return without_answer(std::move(verdict), Status::skipped, known(*verdict.defect, "not run"));
  }
  const ConvProblem problem = with_contents(c);
  reference.guard_tensors(process == Process::may_die);
  auto answer = reference.conv(problem);
  const std::string_view refusal_due = refusal(c, hardware);
  if (!answer) {
    if (!refusal_due.empty()) {
      return without_answer(std::move(verdict), Status::skipped, "refused, as known: " + std::string(refusal_due));
    }
    return failed(std::move(verdict), "refused: " + answer.error().message);
  }
  if (!refusal_due.empty()) return failed(std::move(verdict), "answered what it is known to refuse");
  return judged(std::move(verdict), problem, hardware, std::move(*answer));
}

Verdict verify_alone(const ConvCase& c, LibTorch& reference, double seconds) {
  struct Packed {  // what of a verdict goes through a pipe as it is; the finding follows as text
    Status status;
    FbgemmPath path;
    Engine picked;
    std::int64_t elements;
    std::size_t reason_length;
  };
  const auto answer = run_alone(
      [&] {
        const Verdict verdict = verify(c, reference, Process::may_die);
        const Packed packed{verdict.status, verdict.path, verdict.picked, verdict.elements, verdict.reason.size()};
        return std::string(reinterpret_cast<const char*>(&packed), sizeof packed) + verdict.reason +
               finding_json(verdict.finding);
      },
      seconds);
  Verdict verdict;
  verdict.path = fbgemm_path(c, reference.hardware());
  verdict.defect = known_defect(c, reference.hardware());
  if (!answer) {
    const std::string death = answer.error().text();
    verdict.finding.case_line = verdict.finding.original_line = print(c);
    verdict.finding.expected_name = name(c.execution.engine);
    verdict.finding.failure = "died: " + death;
    if (verdict.defect != nullptr) {
      return without_answer(std::move(verdict), Status::mistrusted, known(*verdict.defect, death));
    }
    return without_answer(std::move(verdict), Status::crashed, death);
  }
  Packed packed;
  answer->copy(reinterpret_cast<char*>(&packed), sizeof packed);
  verdict.status = packed.status;
  verdict.path = packed.path;
  verdict.picked = packed.picked;
  verdict.elements = packed.elements;
  verdict.reason = answer->substr(sizeof packed, packed.reason_length);
  auto finding = parse_finding_json(std::string_view(*answer).substr(sizeof packed + packed.reason_length));
  if (!finding) std::abort();  // it was written a moment ago
  verdict.finding = std::move(*finding);
  return verdict;
}

Finding reduce(const Finding& finding, LibTorch& reference, double seconds) {
  const auto original = parse(finding.original_line);
  if (!original) std::abort();  // a finding's line is printed by print()
  const Verdict whole = verify_alone(*original, reference);
  if (whole.status != Status::differed && whole.status != Status::crashed) {
    Finding unrepeatable = finding;
    if (unrepeatable.failure.empty())
      unrepeatable.failure = "differed among other cases, but not alone: its answer depends on what ran before";
    return unrepeatable;
  }
  const auto fails_alike = [&](const Verdict& v) {
    return v.status == whole.status && v.path == whole.path && v.picked == whole.picked && v.reason == whole.reason &&
           v.finding.failure == whole.finding.failure && v.finding.diff_class == whole.finding.diff_class;
  };
  std::string smallest = finding.original_line;
  if (whole.status == Status::crashed) {
    smallest = print(shrink(*original,
                            [&](const ConvCase& candidate) { return fails_alike(verify_alone(candidate, reference)); },
                            {.seconds = seconds}));
  } else {
    // One process for all the tries: what differs does not die. If it does, the finding stays as it was drawn.
    const auto found = run_alone(
        [&] {
          return print(shrink(*original,
                              [&](const ConvCase& candidate) { return fails_alike(verify(candidate, reference)); },
                              {.seconds = seconds}));
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
