#include "props/verify/verify.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <iterator>
#include <optional>
#include <sstream>
#include <utility>

#include "cases/contents.h"
#include "cases/text/case_text.h"
#include "oracle/engines/engine_model.h"
#include "oracle/engines/known_defects.h"
#include "oracle/hypotheses/mismatch_class.h"
#include "props/process/forked_task.h"
#include "props/shrink/shrink.h"
#include "props/verify/reference_answer.h"
#include "props/verify/verify_subject.h"
#include "reports/data/tensor_mismatches.h"

namespace tieout {
namespace {

constexpr std::size_t kMaxListedElements = 20;

// Removes numbers, so that "reads 3 bytes behind its weight" is the same failure as reading 1 byte on a smaller case.
std::string without_numbers(std::string text) {
  std::erase_if(text, [](char c) { return '0' <= c && c <= '9'; });
  if (const auto at = text.find("bytes"); at != std::string::npos) text.replace(at, 5, "byte");
  return text;
}

void fail(Verdict& verdict, std::string failure) {
  verdict.status = Status::differed;
  verdict.finding.failure = std::move(failure);
}

void set_cause(Finding& finding, const MismatchCause& cause) {
  finding.mismatch_class = name(cause.cls);
  finding.derivation = cause.exchanged;
  finding.explained = cause.explained;
}

// Compares the answer with our prediction of it.
void compare_with_prediction(Verdict& verdict, const ConvProblem& problem, const Hardware& hardware,
                             EngineAnswer answer) {
  const ConvCase& c = problem.spec;
  const Engine predicted = computing_engine(c, hardware);
  verdict.picked = answer.picked;
  if (answer.picked != predicted) {
    return fail(verdict, "picked " + std::string(name(answer.picked)) + ", and not " + std::string(name(predicted)));
  }
  if (answer.y.shape != output_shape(c)) return fail(verdict, "answered in another shape");
  Answers expected = as_answers(answer.y);

  const bool by_fbgemm = is_fbgemm(answer.picked);
  const Arithmetic arithmetic = by_fbgemm ? fbgemm_arithmetic(c, hardware) : Arithmetic{};
  verdict.traces = conv_relu_traces(problem, arithmetic);
  Answers actual{output_shape(c), {}};
  if (by_fbgemm) {
    for (const ElementTrace& trace : verdict.traces) actual.values.push_back(trace.result);
  } else {
    actual = nearest_prediction(problem, answer.picked, hardware, expected);
  }
  const TensorMismatches d = compare_tensors(expected, actual);
  verdict.expected = std::move(expected);
  // An answer does not count if the case accesses memory outside of its buffers, even if it is equal, and a wrong
  // answer where that is known is no finding.
  if (verdict.defect != nullptr && (verdict.defect->memory || !d.equal())) {
    return end_without_answer(
        verdict, Status::known_defect,
        text_of(*verdict.defect, d.equal() ? "it reads or writes outside of its tensors, though the answer is right"
                                           : "its answer is wrong"));
  }
  verdict.elements = d.elements;
  if (d.equal()) {
    verdict.departure = departure_from_exact(
        {problem, verdict.expected, answer.picked, verdict.path, arithmetic, verdict.traces}, hardware);
    return;
  }
  verdict.status = Status::differed;
  Finding& finding = verdict.finding;
  classify_finding(verdict, problem, std::array{Contract{arithmetic, verdict.expected}}, actual);
  finding.actual_name = by_fbgemm ? "scalar" : std::string(name(answer.picked)) + "_model";
  describe_values(finding, c.output_type, d, verdict.expected, actual, verdict.traces);
}

void set_verdict(Verdict& verdict, const ConvProblem& problem, const Hardware& hardware, ReferenceAnswer answer) {
  const std::string refusal_due(refusal(problem.spec, hardware));
  if (answer) {
    if (!refusal_due.empty()) return fail(verdict, "answered what it is known to refuse: " + refusal_due);
    return compare_with_prediction(verdict, problem, hardware, std::move(*answer));
  }
  const std::string& text = answer.error().text;
  switch (answer.error().kind) {
    case ReferenceFailure::Kind::absent: return end_without_answer(verdict, Status::unavailable, text);
    case ReferenceFailure::Kind::unsupported: return end_without_answer(verdict, Status::skipped, text);
    case ReferenceFailure::Kind::no_resources: return end_without_answer(verdict, Status::no_resources, text);
    case ReferenceFailure::Kind::refused:
      if (refusal_due.empty()) return fail(verdict, "refused: " + text);
      return end_without_answer(verdict, Status::skipped, "LibTorch refuses such cases, as known: " + refusal_due);
    case ReferenceFailure::Kind::died: break;
  }
  if (verdict.defect != nullptr)
    return end_without_answer(verdict, Status::known_defect, text_of(*verdict.defect, text));
  verdict.finding.failure = "died: " + text;
  end_without_answer(verdict, Status::crashed, text);
}

// Verifies a case without a subject. ask: runs the reference in this process or in one of its own.
template <typename Ask>
Verdict verify_libtorch(const ConvCase& c, LibTorch& reference, Ask ask) {
  const Hardware hardware = reference.hardware();
  Verdict verdict;
  if (c.output_type == OutputType::int32) {
    end_without_answer(verdict, Status::skipped,
                       "no operator of LibTorch returns int32 sums; compare a kernel with them by --subject");
    return verdict;
  }
  ConvProblem problem = with_contents(c);
  verdict.finding.expected_name = name(c.execution.engine);
  verdict.path = fbgemm_path(c, hardware);
  problem.spec = as_run(std::move(problem.spec), reference);
  verdict.defect = known_defect(problem.spec, hardware);
  const Isa named = std::exchange(problem.spec.execution.isa, c.execution.isa);
  const std::optional<ReferenceAnswer> answer = ask(problem, verdict);
  problem.spec.execution.isa = named;
  if (answer) set_verdict(verdict, problem, hardware, *answer);
  if (verdict.status == Status::differed || verdict.status == Status::crashed) {
    verdict.finding.case_line = verdict.finding.original_line = print(c);
  }
  return verdict;
}

}  // namespace

void classify_finding(Verdict& verdict, const ConvProblem& problem, std::span<const Contract> contracts,
                      const Answers& actual) {
  Finding& finding = verdict.finding;
  if (!is_fbgemm(verdict.picked)) {
    finding.mismatch_class = name(MismatchClass::unexplained);
    return;
  }
  verdict.causes.observe(problem, contracts, actual);
  set_cause(finding, verdict.causes.conclude(std::ssize(compare_tensors(verdict.expected, actual).offsets)));
}

void describe_values(Finding& finding, OutputType type, const TensorMismatches& d, const Answers& expected,
                     const Answers& actual, const std::vector<ElementTrace>& traces) {
  finding.expected = as_stored(expected, type);
  finding.actual = as_stored(actual, type);
  for (const std::int64_t offset : d.offsets) {
    if (finding.elements.size() == kMaxListedElements) break;
    const auto at = static_cast<std::size_t>(offset);
    finding.elements.push_back({.offset = offset,
                                .expected = finding.expected.values[at],
                                .actual = finding.actual.values[at],
                                .accumulator = traces[at].accumulator,
                                .scaled = traces[at].scaled});
  }
}

Verdict verify(const ConvCase& c, const Reference& reference, Subject* subject, const Rules& rules) {
  if (subject != nullptr) return verify_subject(c, reference, *subject, rules, TrialMode::in_a_run);
  LibTorch& libtorch = *reference.libtorch();
  return verify_libtorch(
      c, libtorch, [&](const ConvProblem& problem, Verdict& verdict) -> std::optional<ReferenceAnswer> {
        if (verdict.defect == nullptr || !verdict.defect->memory) return run_reference(problem, libtorch);
        end_without_answer(
            verdict, Status::skipped,
            text_of(*verdict.defect, "the case is not run, because it would read or write outside of its tensors"));
        return {};
      });
}

Verdict verify_alone(const ConvCase& c, const Reference& reference, double seconds, Subject* subject,
                     const Rules& rules) {
  if (subject != nullptr) return verify_subject(c, reference, *subject, rules, TrialMode::alone);
  LibTorch& libtorch = *reference.libtorch();
  return verify_libtorch(c, libtorch,
                         [&](const ConvProblem& problem, const Verdict&) -> std::optional<ReferenceAnswer> {
                           return run_reference_alone(problem, libtorch, seconds);
                         });
}

namespace {

// Limits shrinking so that it ends within seconds. A hang costs the full time limit in each try.
ShrinkLimits limits_of(const Verdict& whole, const Subject* subject, const Reference& reference, double seconds,
                       Effort effort) {
  ShrinkLimits limits{.tries = 10'000, .products = 20'000'000, .seconds = seconds};
  const auto is_program = [](const Subject* s) { return s != nullptr && s->isolation() == Isolation::program; };
  if (is_program(subject) || is_program(reference.other())) limits.tries = 2'000;
  // Each try starts a process.
  if (whole.status == Status::crashed) limits.tries = 400;
  if (effort == Effort::quick) limits = {.tries = limits.tries / 40, .products = 1'000'000, .seconds = seconds};
  if (without_numbers(whole.finding.failure) == "died: hang") limits.steps = 10;
  return limits;
}

// True if the values differ, and nothing else is wrong.
bool is_about_values(const Verdict& verdict) {
  return verdict.status == Status::differed && verdict.conduct.empty() && verdict.finding.failure.empty();
}

// Collects evidence on the cause of a finding of LibTorch itself, from the drawn case and from those that were tried
// while the finding was shrunk, whether they differ or are equal. The causes of a subject's differences are diagnosed
// after the run, so that its classes, by which findings are sampled, need no evidence but their own case.
class CauseEvidence {
 public:
  explicit CauseEvidence(const Verdict& drawn) : causes_(drawn.causes) {}

  void add(const ConvCase& c, const Verdict& verdict, const Reference& reference) {
    if (!is_fbgemm(verdict.picked) || verdict.elements == 0) return;
    if (is_about_values(verdict)) {
      causes_.narrow(verdict.causes);
    } else if (verdict.status == Status::passed && verdict.reason.empty() && !causes_.none()) {
      ConvProblem problem = with_contents(c);
      problem.spec = as_run(std::move(problem.spec), reference);
      const Arithmetic arithmetic = fbgemm_arithmetic(problem.spec, reference.hardware());
      causes_.observe(problem, arithmetic, verdict.expected, verdict.expected);
    }
  }

  // Names the cause of the smallest case's difference, unless its finding has another reason.
  void name_cause(Verdict& smallest) {
    if (!is_about_values(smallest)) return;
    causes_.narrow(smallest.causes);
    const auto differing = std::ssize(compare_tensors(smallest.finding.expected, smallest.finding.actual).offsets);
    set_cause(smallest.finding, causes_.conclude(differing));
  }

  // Converts the evidence to text; any text may follow it.
  [[nodiscard]] std::string pack() const {
    const auto bits = causes_.bits();
    return fmt::format("{} {} ", bits[0], bits[1]);
  }

  // Restores the evidence and returns the text that follows it.
  std::string unpack(const std::string& packed) {
    std::istringstream in(packed);
    std::array<std::uint64_t, 2> bits{};
    in >> bits[0] >> bits[1];
    causes_ = PossibleCauses::from_bits(bits);
    in.get();
    return {std::istreambuf_iterator<char>(in), {}};
  }

 private:
  PossibleCauses causes_;
};

// Shrinks one finding.
class FindingShrinker {
 public:
  // rules: those for the drawn case.
  FindingShrinker(const Finding& finding, const Reference& reference, double seconds, Subject* subject,
                  const Rules& rules)
      : finding_(finding), reference_(reference), seconds_(seconds), subject_(subject), rules_(rules) {
    const auto original = parse(finding.original_line);
    // This cannot happen: print() wrote the line.
    if (!original) std::abort();
    original_ = *original;
    // Most findings need no twins, and tries without them are cheaper.
    rules_.every_twin = false;
    whole_ = verify_alone_by(original_, rules_);
    if (subject != nullptr && whole_.status == Status::passed) {
      rules_.every_twin = true;
      whole_ = verify_alone_by(original_, rules_);
    }
    // The limit of a try is at most half a second, because a smaller case that does not hang answers at once.
    rules_of_tries_ = {rules_.strictness, std::min(rules_.seconds, 0.5), rules_.every_twin};
  }

  [[nodiscard]] Finding shrink_by(Effort effort) {
    if (whole_.status != Status::differed && whole_.status != Status::crashed) return unrepeatable();
    CauseEvidence evidence(whole_);
    const ShrinkLimits limits = limits_of(whole_, subject_, reference_, seconds_, effort);
    const bool ends_process =
        whole_.status == Status::crashed && (subject_ == nullptr || subject_->isolation() == Isolation::none);
    const std::string smallest = ends_process ? try_in_many_processes(limits) : try_in_one_process(limits, evidence);
    Verdict verdict = verify_alone_by(*parse(smallest), rules_);
    if (!fails_alike(verdict)) return whole_.finding;
    if (subject_ == nullptr) evidence.name_cause(verdict);
    verdict.finding.original_line = finding_.original_line;
    return std::move(verdict.finding);
  }

 private:
  [[nodiscard]] Verdict verify_alone_by(const ConvCase& c, const Rules& rules) const {
    return verify_alone(c, reference_, 60, subject_, rules);
  }

  // Returns the finding as it was drawn, with a note that the case alone does not fail, unless the machine or the
  // reference prevented that.
  [[nodiscard]] Finding unrepeatable() const {
    Finding finding = finding_;
    if (whole_.status == Status::no_resources || whole_.status == Status::unavailable) return finding;
    finding.failure = (finding_.failure.empty() ? "differed" : finding_.failure) + " ";
    finding.failure += kOnlyAmongOthers;
    return finding;
  }

  // Different paths of the reference compute differently, so that the path must stay. A subject has paths of its own,
  // and may be wrong in one place for many reasons.
  [[nodiscard]] bool fails_alike(const Verdict& v) const {
    const bool for_the_same = subject_ != nullptr
                                  ? without_numbers(v.conduct) == without_numbers(whole_.conduct)
                                  : v.path == whole_.path && v.finding.mismatch_class == whole_.finding.mismatch_class;
    return v.status == whole_.status && v.picked == whole_.picked && for_the_same &&
           without_numbers(v.reason) == without_numbers(whole_.reason) &&
           without_numbers(v.finding.failure) == without_numbers(whole_.finding.failure);
  }

  // Returns the line of the smallest case. Each try has a process of its own.
  [[nodiscard]] std::string try_in_many_processes(const ShrinkLimits& limits) const {
    const auto fails = [&](const ConvCase& candidate) {
      return fails_alike(verify_alone_by(candidate, rules_of_tries_));
    };
    return print(shrink(original_, fails, limits));
  }

  // Returns the line of the smallest case. One process runs all tries, because cases that differ do not end the
  // process. If it dies anyway, the case stays as it was drawn.
  [[nodiscard]] std::string try_in_one_process(const ShrinkLimits& limits, CauseEvidence& evidence) const {
    const Rules& rules = whole_.status == Status::crashed ? rules_of_tries_ : rules_;
    const auto found = run_alone(
        [&] {
          // A subject that is wrong under all conditions is called once; the smallest case is verified in full later.
          const bool by_values = whole_.conduct.empty() && whole_.status == Status::differed && !rules_.every_twin;
          const bool once = by_values && subject_ != nullptr &&
                            fails_alike(verify_subject(original_, reference_, *subject_, rules, TrialMode::once));
          const TrialMode where = once ? TrialMode::once : TrialMode::here;
          const auto fails = [&](const ConvCase& candidate) {
            const Verdict verdict = subject_ == nullptr
                                        ? verify(candidate, reference_)
                                        : verify_subject(candidate, reference_, *subject_, rules, where);
            if (subject_ == nullptr) evidence.add(candidate, verdict, reference_);
            return fails_alike(verdict);
          };
          const std::string line = print(shrink(original_, fails, limits));
          return evidence.pack() + line;
        },
        60 + seconds_);
    return found ? evidence.unpack(*found) : finding_.original_line;
  }

  const Finding& finding_;
  const Reference& reference_;
  double seconds_;
  Subject* subject_;
  Rules rules_, rules_of_tries_;
  ConvCase original_;
  // The verdict on the drawn case.
  Verdict whole_;
};

}  // namespace

Finding shrink_finding(const Finding& finding, const Reference& reference, double seconds, Subject* subject,
                       const Rules& rules, Effort effort) {
  return FindingShrinker(finding, reference, seconds, subject, rules).shrink_by(effort);
}

Cell cell_of(const ConvCase& c, FbgemmPath path, Engine picked, const Reference& reference) {
  const Isa isa = c.execution.isa == Isa::native ? reference.native_isa() : c.execution.isa;
  const Subject* const other = reference.other();
  std::string engine = other != nullptr ? other->name() : std::string(name(c.execution.engine));
  if (other == nullptr && c.execution.engine == Engine::x86) engine.append(" by ").append(name(picked));
  return {.engine = engine,
          .isa = other == nullptr && is_fbgemm(picked) ? std::string(name(isa)) : "its own",
          .path = std::string(name(path)),
          .granularity = std::string(name(c.granularity)),
          .bias = !c.int32_bias.empty() ? "int32 bias"
                  : c.bias.empty()      ? "no bias"
                                        : "bias"};
}

}  // namespace tieout
