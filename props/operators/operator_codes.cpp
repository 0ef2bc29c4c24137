#include "props/operators/operator_codes.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "oracle/operators/element_record.h"
#include "oracle/operators/operator_model.h"

namespace tieout {
namespace {

constexpr std::size_t kMaxListedElements = 20;

// Returns the output if all elements were computed by one code; nothing if the operator's model has only one.
std::optional<Answers> predict_by(const OperatorCase& c, const Hardware& hardware, OperatorCode code) {
  ElementRecord record{.forced = code, .elements = {}};
  OperatorOutput output = predict_operator(c, hardware, record);
  if (!record.has_codes) return {};
  return std::move(output.values);
}

}  // namespace

BothCodes::BothCodes(const OperatorCase& c, const Hardware& hardware) {
  auto by_vector = predict_by(c, hardware, OperatorCode::vector);
  auto by_scalar = predict_by(c, hardware, OperatorCode::scalar);
  if (!by_vector || !by_scalar) return;
  vector = std::move(by_vector->values);
  scalar = std::move(by_scalar->values);
}

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

}  // namespace tieout
