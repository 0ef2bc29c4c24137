#include "props/operators/operator_verify.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "cases/operators/operator_text.h"
#include "cases/strings/bytes.h"
#include "kernels/operators/operator_kernel.h"
#include "oracle/operators/element_record.h"
#include "oracle/operators/operator_model.h"
#include "props/process/forked_task.h"
#include "props/verify/reference_answer.h"
#include "reports/data/tensor_mismatches.h"

namespace tieout {
namespace {

constexpr std::size_t kMaxListedElements = 20;
// More threads than most machines give to one operator.
constexpr int kMostThreads = 16;

using OperatorAnswer = tl::expected<OperatorOutput, ReferenceFailure>;

OperatorAnswer run_here(const OperatorCase& c, LibTorch& reference) {
  reference.guard_tensors(true);
  auto answer = reference.run_operator(c);
  if (answer) return std::move(*answer);
  return tl::unexpected(failure_of(answer.error()));
}

// ---- conversion of an answer to bytes and back, to pass it between processes

std::string pack_operator_answer(const OperatorAnswer& answer) {
  ByteWriter bytes;
  bytes.put(static_cast<std::uint8_t>(answer ? 1 : 0));
  if (answer) {
    bytes.put(static_cast<std::uint8_t>(answer->is_float ? 1 : 0));
    bytes.put(answer->values.shape);
    bytes.put(answer->values.values);
  } else {
    bytes.put(answer.error().kind);
    bytes.put(answer.error().text);
  }
  return bytes.take();
}

OperatorAnswer unpack_operator_answer(const std::string& packed) {
  ByteReader reader(packed);
  std::uint8_t answered = 0;
  std::uint8_t is_float = 0;
  OperatorOutput answer;
  ReferenceFailure failure{};
  reader.get(answered);
  if (answered == 1) {
    reader.get(is_float);
    reader.get(answer.values.shape);
    reader.get(answer.values.values);
    answer.is_float = is_float == 1;
  } else {
    reader.get(failure.kind);
    reader.get(failure.text);
  }
  const auto is_size = [](std::int64_t extent) { return extent >= 0; };
  const Shape& shape = answer.values.shape;
  const bool whole = answered != 1 ||
                     (std::ranges::all_of(shape, is_size) && element_count(shape) == std::ssize(answer.values.values));
  if (!reader.complete() || !whole) {
    return tl::unexpected(ReferenceFailure{ReferenceFailure::Kind::died, "wrote over its own answer"});
  }
  if (answered != 1) return tl::unexpected(failure);
  return answer;
}

OperatorAnswer run_alone_in_process(const OperatorCase& c, LibTorch& reference, double seconds) {
  const auto ask = [&] { return run_alone([&] { return pack_operator_answer(run_here(c, reference)); }, seconds); };
  auto bytes = ask();
  // What another process or the kernel caused may not happen again.
  if (!bytes && bytes.error().by_machine) bytes = ask();
  if (bytes) return unpack_operator_answer(*bytes);
  return tl::unexpected(failure_of(bytes.error()));
}

// ---- comparison

// Returns the output if all elements were computed by one code; nothing if the operator's model has only one.
std::optional<Answers> predict_by(const OperatorCase& c, const Hardware& hardware, OperatorCode code) {
  ElementRecord record{.forced = code, .elements = {}};
  OperatorOutput output = predict_operator(c, hardware, record);
  if (!record.has_codes) return {};
  return std::move(output.values);
}

// The values of the two codes; empty if the operator has one code.
struct BothCodes {
  std::vector<std::int32_t> vector, scalar;

  BothCodes(const OperatorCase& c, const Hardware& hardware) {
    auto by_vector = predict_by(c, hardware, OperatorCode::vector);
    auto by_scalar = predict_by(c, hardware, OperatorCode::scalar);
    if (!by_vector || !by_scalar) return;
    vector = std::move(by_vector->values);
    scalar = std::move(by_scalar->values);
  }

  [[nodiscard]] bool exist() const { return !vector.empty(); }
};

// Returns the differing elements as a departure of `answer` from `other`.
Departure departure_between(const Answers& answer, const std::vector<std::int32_t>& other, std::string cause) {
  Departure departure{.cause = std::move(cause)};
  for (std::size_t i = 0; i < other.size(); ++i) {
    if (answer.values[i] == other[i]) continue;
    if (departure.elements++ > 0) continue;
    departure.offset = static_cast<std::int64_t>(i);
    departure.here = answer.values[i];
    departure.there = other[i];
  }
  if (departure.elements == 0) departure.cause.clear();
  return departure;
}

// Returns why LibTorch's values are not those of the specification.
std::string cause_of_departure(const OperatorCase& c, const Hardware& hardware, const Answers& answer,
                               const std::vector<std::int32_t>& exact) {
  const BothCodes codes(c, hardware);
  bool all_by_vector = codes.exist();
  bool all_by_scalar = codes.exist();
  for (std::size_t i = 0; i < exact.size() && codes.exist(); ++i) {
    if (answer.values[i] == exact[i]) continue;
    all_by_vector = all_by_vector && answer.values[i] == codes.vector[i];
    all_by_scalar = all_by_scalar && answer.values[i] == codes.scalar[i];
  }
  const std::string of = " of " + std::string(c.schema->name);
  if (all_by_vector && !all_by_scalar) return "LibTorch's vector code" + of + " rounds differently";
  return all_by_scalar && !all_by_vector ? "LibTorch's scalar code" + of + " rounds differently"
                                         : "LibTorch's code" + of + " rounds differently";
}

void note_mismatch_class(Finding& finding, const OperatorCase& c, const Hardware& hardware, const TensorMismatches& d,
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

// Lists the first elements that differ, with their predicted values before rounding.
void list_elements(Finding& finding, const OperatorCase& c, const Hardware& hardware, const TensorMismatches& d) {
  ElementRecord record;
  for (const std::int64_t offset : d.offsets) {
    if (record.elements.size() == kMaxListedElements) break;
    record.elements[offset] = {};
  }
  (void)predict_operator(c, hardware, record);
  for (const auto& [offset, element] : record.elements) {
    const auto& steps = element.trace.steps();
    const auto scaled = std::ranges::find(steps, "scaled", &Step::name);
    const auto at = static_cast<std::size_t>(offset);
    finding.elements.push_back({.offset = offset,
                                .expected = finding.expected.values[at],
                                .actual = finding.actual.values[at],
                                .scaled = scaled == steps.end() ? 0 : static_cast<float>(scaled->value)});
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
  note_mismatch_class(finding, c, hardware, d, finding.expected, finding.actual, exact.values.values);
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
                    [&](const OperatorCase& with_values) { return run_here(with_values, reference); });
}

Verdict verify_operator_alone(const OperatorCase& c, LibTorch& reference, double seconds) {
  return verdict_of(c, reference.hardware(), [&](const OperatorCase& with_values) {
    return run_alone_in_process(with_values, reference, seconds);
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

}  // namespace tieout
