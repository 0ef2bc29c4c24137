#pragma once
// Writes a case as a self-contained python script, for users who want to check it with torch alone. The script rebuilds
// the case from its stored integers, computes the document's two hypotheses with torch's own functions and runs torch's
// own operator.
//
// manual_output_1 uses the activation in float32, and the weights, sums and scaling in float64; manual_output_2 uses
// float32 throughout. Both round, add the zero point and clamp to 0..255. The script needs only torch. torch may add in
// another order than oracle/hypotheses/dequantized.h, which can change the last bit of a sum.

#include <cstddef>
#include <string>

#include "cases/conv_case.h"

namespace tieout {

inline constexpr std::size_t kScriptWidth = 100;  // columns of the lists in a script

// Returns the script. case_line: the line of the case, for the script's head. problem: valid.
[[nodiscard]] std::string python_script(const ConvProblem& problem, const std::string& case_line);

}  // namespace tieout
