#pragma once
// Predicts what LibTorch's quantized operators return, bit for bit: the arithmetic of their vector code and of their
// scalar code, and which of the two computes an element. README.md has the formulas and their sources.

#include "cases/operators/operator_case.h"

namespace tieout {

// Returns the predicted output. c: a valid case with contents.
[[nodiscard]] OperatorOutput predict_operator(const OperatorCase& c);

// The prediction of one operator.
struct OperatorModel {
  std::string_view name;
  OperatorOutput (*predict)(const OperatorCase& c);
};

}  // namespace tieout
