#pragma once
// Records the arithmetic of single elements while a model predicts an operator's output, for explanations; and lets a
// model compute all elements by its vector code, or all by its scalar code.
//
// A model calls begin_element() before each element and computes it by the code that this returns. The functions of
// libtorch_arithmetic.h record their steps themselves; a model adds others with record_step(). Without a record, these
// functions do nothing but read a pointer.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cases/operators/operator_case.h"
#include "oracle/element/trace.h"
#include "oracle/engines/fbgemm_path.h"

namespace tieout {

// The code of LibTorch that computes an element.
enum class OperatorCode { vector, scalar };

struct RecordedElement {
  // The code that computes the element in LibTorch, whatever code the record forces.
  OperatorCode code = OperatorCode::scalar;
  // Why it is that code: sentences on the element's place in memory; empty if the model does not state it.
  std::string place;
  Trace trace;
};

struct ElementRecord {
  // The code that computes all elements; empty: the code that LibTorch uses for each.
  std::optional<OperatorCode> forced;
  // Holds an entry for each element to record, by its offset in the row-major output. The model fills it.
  std::map<std::int64_t, RecordedElement> elements;
  // Set if the model has called begin_element(): it distinguishes the two codes.
  bool has_codes = false;
};

// Returns the prediction of predict_operator() with a record.
[[nodiscard]] OperatorOutput predict_operator(const OperatorCase& c, const Hardware& hardware, ElementRecord& record);

// ---- For models.

namespace element_record {

struct State {
  ElementRecord* record = nullptr;
  // The entry of the element that is computed, if it is recorded.
  RecordedElement* current = nullptr;
};
inline thread_local State state;

[[nodiscard]] bool begin(std::int64_t element, bool by_vectors);

}  // namespace element_record

// Begins an element. by_vectors: true if LibTorch's vector code computes it. Returns true if the model is to compute it
// by vector code.
[[nodiscard]] inline bool begin_element(std::int64_t element, bool by_vectors) {
  return element_record::state.record == nullptr ? by_vectors : element_record::begin(element, by_vectors);
}

// True if the present element is recorded, so that it must be computed and not looked up.
[[nodiscard]] inline bool is_recorded() { return element_record::state.current != nullptr; }

// Records a step of the present element. name, note: string literals.
inline void record_step(std::string_view name, double value, std::string_view note) {
  if (is_recorded()) element_record::state.current->trace.step(name, value, note);
}

// Records why the present element is computed by its code.
inline void record_place(std::string place) {
  if (is_recorded()) element_record::state.current->place = std::move(place);
}

}  // namespace tieout
