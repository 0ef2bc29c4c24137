#include "props/operators/operator_verify.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "cases/operators/operator_text.h"
#include "kernels/operators/operator_kernel.h"
#include "oracle/operators/operator_model.h"
#include "props/operators/operator_answer.h"
#include "props/operators/operator_codes.h"
#include "reports/data/tensor_mismatches.h"

namespace tieout {
namespace {

// More threads than most machines give to one operator.
constexpr int kMostThreads = 16;

void classify_answer(Finding& finding, const OperatorCase& c, const Hardware& hardware, const TensorMismatches& d,
                     const Answers& answer, const Answers& predicted, const std::vector<std::int32_t>& exact) {
  const BothCodes codes(c, hardware);
  std::int64_t by_other_code = 0;
  std::int64_t by_specification = 0;
  for (const std::int64_t offset : d.offsets) {
    const auto i = static_cast<std::size_t>(offset);
    const std::int32_t y = answer.values[i];
    const auto is_other = [&](const std::vector<std::int32_t>& values) {
      return codes.exist() && y == values[i] && predicted.values[i] != values[i];
    };
    by_other_code += is_other(codes.vector) || is_other(codes.scalar) ? 1 : 0;
    by_specification += y == exact[i] ? 1 : 0;
  }
  const auto differing = static_cast<std::int64_t>(d.offsets.size());
  finding.explained = std::max(by_other_code, by_specification);
  const bool explained = finding.explained == differing;
  finding.mismatch_class = explained ? kOtherCode : "unexplained";
  if (!explained) {
    finding.explained = 0;
  } else {
    finding.derivation = by_other_code == differing ? "elements are computed by the other code than predicted"
                                                    : "elements have the values of the exact contract";
  }
}

void fail(Verdict& verdict, std::string failure) {
  verdict.status = Status::differed;
  verdict.finding.failure = std::move(failure);
}

void compare(Verdict& verdict, const OperatorCase& c, const Hardware& hardware, OperatorOutput answer) {
  OperatorOutput predicted = predict_operator(c, hardware);
  if (answer.values.shape != predicted.values.shape) return fail(verdict, "answered in another shape");
  if (answer.is_float != predicted.is_float) return fail(verdict, "answered in another type");
  const TensorMismatches d = compare_tensors(answer.values, predicted.values);
  verdict.elements = d.elements;
  verdict.expected = std::move(answer.values);
  const OperatorOutput exact = operator_kernel(c);
  if (d.equal()) {
    verdict.departure = departure_between(verdict.expected, exact.values.values, "code");
    if (verdict.departure.elements > 0) {
      verdict.departure.cause = cause_of_departure(c, hardware, verdict.expected, exact.values.values);
    }
    return;
  }
  verdict.status = Status::differed;
  Finding& finding = verdict.finding;
  finding.expected = verdict.expected;
  finding.actual = predicted.values;
  classify_answer(finding, c, hardware, d, finding.expected, finding.actual, exact.values.values);
  list_elements(finding, c, hardware, d);
}

template <typename Ask>
Verdict verdict_of(const OperatorCase& given, const Hardware& hardware, Ask ask) {
  const OperatorCase c = with_contents(given);
  Verdict verdict;
  Finding& finding = verdict.finding;
  finding.expected_name = "aten";
  finding.actual_name = "prediction";
  finding.cell = cell_of(c);
  OperatorAnswer answer = ask(c);
  if (answer) {
    compare(verdict, c, hardware, std::move(*answer));
  } else {
    const std::string& text = answer.error().text;
    switch (answer.error().kind) {
      case ReferenceFailure::Kind::absent: end_without_answer(verdict, Status::unavailable, text); break;
      case ReferenceFailure::Kind::unsupported: end_without_answer(verdict, Status::skipped, text); break;
      case ReferenceFailure::Kind::no_resources: end_without_answer(verdict, Status::no_resources, text); break;
      case ReferenceFailure::Kind::refused:
        if (predicted_refusal(c).empty()) {
          fail(verdict, "refused: " + text);
        } else {
          end_without_answer(verdict, Status::skipped, std::string(predicted_refusal(c)));
        }
        break;
      case ReferenceFailure::Kind::died:
        finding.failure = "died: " + text;
        end_without_answer(verdict, Status::crashed, text);
        break;
    }
  }
  if (verdict.status == Status::differed || verdict.status == Status::crashed) {
    finding.case_line = finding.original_line = print(given);
  }
  return verdict;
}

}  // namespace

Verdict verify_operator(const OperatorCase& c, LibTorch& reference) {
  return verdict_of(c, reference.hardware(),
                    [&](const OperatorCase& with_values) { return run_operator_here(with_values, reference); });
}

Verdict verify_operator_alone(const OperatorCase& c, LibTorch& reference, double seconds) {
  return verdict_of(c, reference.hardware(), [&](const OperatorCase& with_values) {
    return run_operator_alone(with_values, reference, seconds);
  });
}

std::vector<Departure> departures_elsewhere(const OperatorCase& c, const Hardware& hardware, const Answers& answer) {
  std::vector<Departure> departures;
  OperatorCase other = with_contents(c);
  // The number of threads that changes most elements, among equals the least.
  Departure by_threads;
  for (int threads = 1; threads <= kMostThreads; ++threads) {
    if (threads == c.threads) continue;
    other.threads = threads;
    Departure with_threads = departure_between(answer, predict_operator(other, hardware).values.values,
                                               fmt::format("with {} thread{}", threads, threads == 1 ? "" : "s"));
    if (with_threads.elements > by_threads.elements) by_threads = std::move(with_threads);
  }
  if (by_threads.elements > 0) departures.push_back(std::move(by_threads));
  other.threads = c.threads;
  const BothCodes codes(other, hardware);
  if (!codes.exist()) return departures;
  std::vector<std::int32_t> elsewhere = codes.vector;
  for (std::size_t i = 0; i < elsewhere.size(); ++i) {
    if (elsewhere[i] == answer.values[i]) elsewhere[i] = codes.scalar[i];
  }
  Departure by_place = departure_between(answer, elsewhere, "at other places in memory");
  if (by_place.elements > 0) departures.push_back(std::move(by_place));
  return departures;
}

Cell cell_of(const OperatorCase& c) {
  return {.engine = "aten",
          .isa = "its own",
          .path = std::string(c.schema->name),
          .granularity = "per_tensor",
          .bias = "no bias"};
}

Cell cell_of(const OperatorCase& c, const Reference& reference) {
  Cell cell = cell_of(c);
  if (reference.other() != nullptr) cell.engine = reference.other()->name();
  return cell;
}

}  // namespace tieout
