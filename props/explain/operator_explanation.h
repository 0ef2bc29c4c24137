#pragma once
// Explains the value of one output element of an operator: the steps of LibTorch's vector code and of its scalar code
// side by side, which of the two computes the element, and why.

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "cases/operators/operator_case.h"
#include "cases/validate.h"
#include "oracle/libtorch/libtorch.h"

namespace tieout {

// Returns the offset of the element at "n,c,y,x", one index for each dimension of the output.
[[nodiscard]] tl::expected<std::int64_t, CaseError> offset_at(std::string_view at, const OperatorCase& c);

// Returns the first element at which the values of the two codes and of the specification lie farthest apart.
[[nodiscard]] std::int64_t most_disputed(const OperatorCase& c, const Hardware& hardware);

// Names of implementations and their values of the element; bits of float32 if the operator's output is floats.
using KnownAnswers = std::vector<std::pair<std::string, std::int32_t>>;

// Returns the explanation as text. offset: of the element in the row-major output. hardware: of the machine on which
// LibTorch is predicted. answers: shown below the steps.
[[nodiscard]] std::string operator_explanation(const OperatorCase& c, std::int64_t offset, const Hardware& hardware,
                                               const KnownAnswers& answers);

// Returns a line with LibTorch's answer, computed in a process of its own, or with the reason why there is none.
[[nodiscard]] std::string libtorch_answer_text(const OperatorCase& c, std::int64_t offset, LibTorch& reference);

}  // namespace tieout
