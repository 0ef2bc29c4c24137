#pragma once
// Converts a case of an operator to one line of text and back: parse_operator(print(c)) == c, bit for bit.
//
//   add shape=1x2x3x3 xs=[0.1,0.2] xz=[3,4] os=0.15 oz=128 relu x=[18*7] x2=uniform seed=7 threads=2
//
// The first word is the operator's name; `tieout help operators` lists them. Other words come in any order:
//
//   shape          the shape of every input: 1x2x3x3; shape2 shape3 ... where the others have shapes of their own
//   xs xz          scale (default 1) and zero point (default 0) of the inputs: one number for all, or a list
//   os oz          scale and zero point of the output, where the operator does not determine them
//   x x2 x3 ...    the inputs' values: [list], or uniform | edges | extremes | reduced | sparse | small, by seed
//   strides strides2 ...   the distances in memory of an input that is not dense: 18x9x3x1
//   seed threads format    as in the text of convolutions
//
// and the operator's own attributes, such as kernel=3x3.

#include <cstddef>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "cases/operators/operator_case.h"

namespace tieout {

[[nodiscard]] std::string print(const OperatorCase& c);

// Returns the word of an input, such as x for the first input and x2 for the second one. input: counted from 0.
[[nodiscard]] std::string numbered_word(std::string_view word, std::size_t input);

// Returns true if the line begins with the name of an operator.
[[nodiscard]] bool names_operator(std::string_view line);

// Returns the schema of the operator whose name begins the line, or nullptr.
[[nodiscard]] const OperatorSchema* operator_of_line(std::string_view line);

// Returns a case that passes validate(), or the first error in the line.
[[nodiscard]] tl::expected<OperatorCase, CaseError> parse_operator(std::string_view line);

}  // namespace tieout
