#pragma once
// A case as a python script of its own, for who would rather trust torch than Tieout: it rebuilds the case from its stored
// integers, computes the document's two hypotheses with torch's own functions and runs torch's own operator.
//
// manual_output_1 takes the activation in float32 and the weights, sums and scaling in float64; manual_output_2 is in
// float32 throughout. Both round, add the zero point and clamp to 0..255. Needs torch and nothing else. torch may sum up in
// another order than oracle/dequantized.h, which can move the last bit of a sum.

#include <string>

#include "cases/conv_case.h"

namespace tieout {

// case_line: of the case, for the script's head. problem: valid.
[[nodiscard]] std::string python_script(const ConvProblem& problem, const std::string& case_line);

}  // namespace tieout
