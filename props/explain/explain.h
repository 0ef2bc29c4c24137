#pragma once
// Explains the value of one output element: its window, and the steps of every hypothesis side by side.

#include <cmath>
#include <cstdint>
#include <span>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "cases/validate.h"
#include "oracle/hypotheses/hypothesis.h"
#include "oracle/libtorch/libtorch.h"
#include "reports/data/finding.h"
#include "reports/formats/explanation_text.h"

namespace tieout {

using HypothesisList = std::vector<const Hypothesis*>;

// Returns the offset of the element at "n,c,y,x" ("n,c,x" for a 1-d case, "n,c,z,y,x" for a 3-d one).
[[nodiscard]] tl::expected<std::int64_t, CaseError> offset_at(std::string_view at, const ConvCase& c);

// Returns true if the values of two steps are equal, or both NaN.
[[nodiscard]] inline bool same_step_value(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

// Returns all hypotheses in the order of an explanation: integer_float32, manual_output_1, manual_output_2, the rest.
[[nodiscard]] HypothesisList explained_order();

// Returns the first element on which the hypotheses' results lie farthest apart (largest - smallest). The output must
// not be empty.
[[nodiscard]] std::int64_t most_disputed(const ConvProblem& problem, const HypothesisList& hypotheses);

enum class Columns {
  // integer_float32, manual_output_1 and manual_output_2, and of the others those whose result differs from the first.
  deciding,
  all,
};

// Explains an element. The other hypotheses are compared with the first one. Hypotheses that agree in every step that
// they share have one column. A step is marked as different if both hypotheses have a step of that name in the same
// unit with different values: an accumulator in units of xs * ws is not compared with one in real units.
[[nodiscard]] Explanation explain(const ConvProblem& problem, std::int64_t offset, const HypothesisList& hypotheses,
                                  Columns columns);

// Fills columns and same_result of the explanation, for a window of any origin.
void explain_steps(const Window& window, const HypothesisList& hypotheses, Columns columns, Explanation& explanation);

// Returns the arithmetic of the element that differs most, as text, or "" if there was no answer.
[[nodiscard]] std::string explanation_of(const Finding& finding);

// Stores in the explanation the engine's value at its element, computed in a process of its own, or the reason why
// there is none. seconds: time limit.
void ask_engine(const ConvProblem& problem, LibTorch& reference, Explanation& explanation, double seconds = 60);

}  // namespace tieout
