#include "props/operators/any_case_outcome.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <utility>
#include <variant>

#include "cases/operators/operator_text.h"
#include "cases/text/case_words.h"
#include "props/generate/case_class.h"
#include "props/operators/operator_shrink.h"
#include "props/operators/operator_subject.h"
#include "props/operators/operator_verify.h"

namespace tieout {
namespace {

bool has_flag(const OperatorCase& c, std::string_view name) {
  const auto& all = c.schema->attributes;
  return std::ranges::find(all, name, &AttributeSchema::name) != all.end() && flag(c, name);
}

// Returns the classes that cases of operators share with convolutions.
ClassSet shared_classes(const OperatorCase& c, const Verdict& verdict) {
  ClassSet classes;
  const auto mark = [&](CaseClass one, bool has) {
    if (has) classes.set(static_cast<std::size_t>(one));
  };
  const bool is_float = c.schema->has_float_output;
  for (const std::int32_t value : verdict.expected.values) {
    mark(CaseClass::clamped_low, !is_float && value == 0);
    mark(CaseClass::clamped_high, !is_float && value == 255);
    mark(CaseClass::interior, is_float || (value > 0 && value < 255));
  }
  mark(CaseClass::relu, has_flag(c, "relu"));
  mark(CaseClass::channels_last, c.memory_format == MemoryFormat::channels_last);
  mark(CaseClass::several_threads, c.threads > 1);
  const auto at_end = [](const Quantization& of) { return of.zero_point == 0 || of.zero_point == 255; };
  mark(CaseClass::zero_point_at_end, at_end(c.output) || std::ranges::any_of(c.inputs, [&](const OperatorInput& input) {
                                       return at_end(input.quantization);
                                     }));
  return classes;
}

CaseOutcome outcome_of_operator(const OperatorCase& c, const Verdict& verdict, const Reference& reference) {
  const bool differs = verdict.status == Status::differed || verdict.status == Status::crashed;
  return {.status = verdict.status,
          .elements = verdict.elements,
          .classes = shared_classes(c, verdict).to_ullong(),
          .departing = verdict.departure.elements,
          .departure = verdict.departure.cause,
          .reason = differs ? sampled_kind(verdict.finding) : verdict.reason,
          .cell = cell_of(c, reference)};
}

Verdict verify_one(const OperatorCase& c, const CaseSetup& setup, Placement where) {
  const bool alone = where == Placement::alone;
  if (setup.subject != nullptr) {
    return verify_operator_subject(c, setup.reference, *setup.subject, setup.rules,
                                   alone ? TrialMode::alone : TrialMode::in_a_run);
  }
  LibTorch& libtorch = *setup.reference.libtorch();
  return alone ? verify_operator_alone(c, libtorch, setup.seconds) : verify_operator(c, libtorch);
}

Verdict verify_one(const ConvCase& c, const CaseSetup& setup, Placement where) {
  return where == Placement::alone ? verify_alone(c, setup.reference, setup.seconds, setup.subject, setup.rules)
                                   : verify(c, setup.reference, setup.subject, setup.rules);
}

CaseOutcome outcome_of_operator_exit(const OperatorCase& c, const Reference& reference, const ExitReason& reason) {
  const Cell cell = cell_of(c, reference);
  if (reason.by_machine && reason.signal == 0) {
    return {.status = Status::no_resources, .reason = reason.text(), .cell = cell};
  }
  if (reference.other() != nullptr && reference.other()->isolation() == Isolation::none) {
    return {.status = Status::unavailable, .reason = std::string(kReferenceDied) + reason.text(), .cell = cell};
  }
  return {.status = Status::crashed, .reason = kind_of({.failure = "died: " + reason.text()}), .cell = cell};
}

}  // namespace

Verdict verify_case(const AnyCase& c, const CaseSetup& setup, Placement where) {
  return std::visit([&](const auto& one) { return verify_one(one, setup, where); }, c);
}

CaseOutcome outcome_of(const AnyCase& c, const Verdict& verdict, const Reference& reference) {
  if (const auto* const conv = std::get_if<ConvCase>(&c)) return outcome_of(*conv, verdict, reference);
  return outcome_of_operator(std::get<OperatorCase>(c), verdict, reference);
}

CaseOutcome run_case(const AnyCase& c, const CaseSetup& setup, Placement where) {
  const auto start = std::chrono::steady_clock::now();
  const double before = setup.reference.seconds_inside();
  const Verdict verdict = verify_case(c, setup, where);
  CaseOutcome outcome = outcome_of(c, verdict, setup.reference);
  outcome.seconds_in_engine = setup.reference.seconds_inside() - before;
  outcome.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return outcome;
}

CaseOutcome run_first_taken_case(const std::function<AnyCase(std::int64_t)>& case_for, std::int64_t attempts,
                                 const CaseSetup& setup) {
  return run_first_taken_case([&](std::int64_t attempt) { return run_case(case_for(attempt), setup, Placement::here); },
                              attempts);
}

CaseOutcome outcome_of_exit(const AnyCase& c, const CaseSetup& setup, const ExitReason& reason) {
  if (const auto* const conv = std::get_if<ConvCase>(&c)) return outcome_of_exit(*conv, setup, reason);
  return outcome_of_operator_exit(std::get<OperatorCase>(c), setup.reference, reason);
}

CaseOutcome outcome_of_answer(const AnyCase& c, const CaseSetup& setup, const std::string& bytes) {
  auto outcome = unpack(bytes);
  return outcome ? std::move(*outcome) : outcome_of_exit(c, setup, {.stderr_tail = kOverwritten});
}

bool of_operators(CaseClass c) {
  constexpr std::array kClasses{
      CaseClass::clamped_low,   CaseClass::clamped_high,    CaseClass::interior,         CaseClass::relu,
      CaseClass::channels_last, CaseClass::several_threads, CaseClass::zero_point_at_end};
  return std::ranges::find(kClasses, c) != kClasses.end();
}

std::string expected_name_of(const AnyCase& c) {
  const auto* const conv = std::get_if<ConvCase>(&c);
  return conv == nullptr ? "aten" : std::string(name(conv->execution.engine));
}

Finding shrink_any_finding(const Finding& finding, const CaseSetup& setup, double seconds, Effort effort) {
  if (names_operator(finding.original_line)) {
    return shrink_operator_finding(finding, setup.reference, seconds, effort, setup.subject, setup.rules);
  }
  return shrink_finding(finding, setup.reference, seconds, setup.subject, setup.rules, effort);
}

}  // namespace tieout
