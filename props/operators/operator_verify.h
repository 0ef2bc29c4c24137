#pragma once
// Verifies one case of an operator: it runs LibTorch, predicts its answer (oracle/operators/) and compares every
// element with a tolerance of zero.
//
// The verdict is that of convolutions. A difference has the class "vector and scalar code" if LibTorch's values are
// those of its other code, or those of the specification (kernels/operators/). An equal case has the departure from the
// specification.

#include <string>
#include <vector>

#include "cases/operators/operator_case.h"
#include "oracle/libtorch/libtorch.h"
#include "props/verify/reference.h"
#include "props/verify/verdict.h"

namespace tieout {

// The class of differences that the two codes of an operator explain.
inline constexpr const char* kOtherCode = "vector and scalar code";

// Runs LibTorch in this process. c: a valid case.
[[nodiscard]] Verdict verify_operator(const OperatorCase& c, LibTorch& reference);

// Runs LibTorch in a process of its own. seconds: its time limit.
[[nodiscard]] Verdict verify_operator_alone(const OperatorCase& c, LibTorch& reference, double seconds = 60);

// Returns where LibTorch's answer would be different under conditions that the values do not depend on by the
// specification: with another number of threads, up to 16, and where all elements lie in memory so that the one code or
// the other computes them. `cause` continues "LibTorch's answer would be different ...": "with 2 threads". The values
// are predicted. answer: LibTorch's, for the case.
[[nodiscard]] std::vector<Departure> departures_elsewhere(const OperatorCase& c, const Hardware& hardware,
                                                          const Answers& answer);

// Return the cell in which a case is counted; with another reference than LibTorch, that names it.
[[nodiscard]] Cell cell_of(const OperatorCase& c);
[[nodiscard]] Cell cell_of(const OperatorCase& c, const Reference& reference);

}  // namespace tieout
