#pragma once
// Why does one output element come out as it does? Its window, and every hypothesis' steps beside each other.

#include <cstdint>
#include <span>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "cases/validate.h"
#include "oracle/hypothesis.h"
#include "oracle/libtorch.h"
#include "reports/explanation_text.h"
#include "reports/finding.h"

namespace tieout {

using HypothesisList = std::vector<const Hypothesis*>;

// The offset of the element at "n,c,y,x" ("n,c,x" of a 1-d case, "n,c,z,y,x" of a 3-d one).
[[nodiscard]] tl::expected<std::int64_t, CaseError> offset_at(std::string_view at, const ConvCase& c);

// All hypotheses, in the order in which they are explained: integer_float32, manual_output_1, manual_output_2, the rest.
[[nodiscard]] HypothesisList explained_order();

// The element on which the hypotheses' results lie farthest apart (largest - smallest); the first of them. The output must
// have an element.
[[nodiscard]] std::int64_t most_disputed(const ConvProblem& problem, const HypothesisList& hypotheses);

enum class Columns {
  deciding,  // the document's two and integer_float32, and of the others those with another result than the first
  all,
};

// The first hypothesis is what the others are compared with. Hypotheses that agree in every step that they share have one
// column. A step parts where both have one of that name that counts the same unit, with different values: an accumulator
// in units of xs * ws is not compared with one in real units.
[[nodiscard]] Explanation explain(const ConvProblem& problem, std::int64_t offset, const HypothesisList& hypotheses,
                                  Columns columns);

// The arithmetic of the element that differs most, as text; "" where there was no answer.
[[nodiscard]] std::string explanation_of(const Finding& finding);

// Writes into the explanation what the engine of the case answers at its element, in a process of its own, or why it does
// not. seconds: what a hang is.
void ask_engine(const ConvProblem& problem, LibTorch& reference, Explanation& explanation, double seconds = 60);

}  // namespace tieout
