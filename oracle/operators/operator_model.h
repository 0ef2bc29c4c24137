#pragma once
// Predicts what LibTorch's quantized operators return, bit for bit: the arithmetic of their vector code and of their
// scalar code, and which of the two computes an element. README.md has the formulas and their sources.

#include "cases/operators/operator_case.h"
#include "oracle/engines/fbgemm_path.h"

namespace tieout {

// Returns the predicted output. c: a valid case with contents. hardware: of the machine that runs LibTorch, and
// LibTorch's version.
[[nodiscard]] OperatorOutput predict_operator(const OperatorCase& c, const Hardware& hardware);

// Returns why LibTorch refuses the case, although it is valid, or an empty text.
[[nodiscard]] std::string_view predicted_refusal(const OperatorCase& c);

// The prediction of one operator.
struct OperatorModel {
  std::string_view name;
  OperatorOutput (*predict)(const OperatorCase& c, const Hardware& hardware);
};

}  // namespace tieout
