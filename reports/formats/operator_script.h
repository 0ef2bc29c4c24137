#pragma once
// Writes a case of an operator as a self-contained python script, for users who want to check it with torch alone.
//
// The script rebuilds the inputs from their stored bytes and runs torch's operator. Of an operator that computes each
// element from one element of each input, it also runs the operator on each set of bytes alone, in tensors of one
// element, and prints where that gives other values: torch's vector code and its scalar code then round differently.

#include <string>

#include "cases/operators/any_case.h"

namespace tieout {

// Returns the script. c: valid.
[[nodiscard]] std::string operator_script(const OperatorCase& c);

// Returns the script of a case of any kind (python_script.h).
[[nodiscard]] std::string script_of(const AnyCase& c);

}  // namespace tieout
