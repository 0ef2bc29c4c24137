#include "oracle/operators/element_record.h"

#include "oracle/operators/operator_model.h"

namespace tieout {

namespace element_record {

bool begin(std::int64_t element, bool by_vectors) {
  ElementRecord& record = *state.record;
  record.has_codes = true;
  const auto found = record.elements.find(element);
  state.current = found == record.elements.end() ? nullptr : &found->second;
  if (state.current != nullptr) state.current->code = by_vectors ? OperatorCode::vector : OperatorCode::scalar;
  return record.forced ? *record.forced == OperatorCode::vector : by_vectors;
}

}  // namespace element_record

OperatorOutput predict_operator(const OperatorCase& c, const Hardware& hardware, ElementRecord& record) {
  element_record::state = {.record = &record, .current = nullptr};
  OperatorOutput output = predict_operator(c, hardware);
  element_record::state = {};
  return output;
}

}  // namespace tieout
