#pragma once
// One case verified: the reference runs, our prediction is computed, every element is compared, the tolerance is zero.
// For FBGEMM the prediction is the specification kernel's; for the other engines it is their model in oracle/.

#include <string>
#include <vector>

#include "cases/conv_case.h"
#include "kernels/conv_relu.h"
#include "oracle/known_defects.h"
#include "oracle/libtorch.h"
#include "reports/finding.h"
#include "reports/run_summary.h"

namespace tieout {

enum class Status : std::uint8_t { passed, differed, skipped, mistrusted, crashed, errored };

struct Verdict {
  Status status = Status::passed;
  std::string reason;  // of every status but passed and differed
  FbgemmPath path = FbgemmPath::im2col;
  Engine picked = Engine::fbgemm;       // who computed the reference
  const KnownDefect* defect = nullptr;  // of the reference on this case, if one is known
  std::int64_t elements = 0;            // compared
  std::vector<ElementTrace> traces;     // by FBGEMM's rules, element by element
  Tensor<std::uint8_t> expected;        // what the reference answered
  Finding finding;                      // where differed or crashed; original_line is case_line
};

// Runs the reference here. Every tensor lies between unmapped pages, so that leaving one's buffers ends the process; cases
// on which that is known to happen are skipped. c: valid.
[[nodiscard]] Verdict verify(const ConvCase& c, LibTorch& reference);

// Runs the reference in a process of its own: a crash is a verdict, and everything is run. seconds: what a hang is.
[[nodiscard]] Verdict verify_alone(const ConvCase& c, LibTorch& reference, double seconds = 60);

// The finding made small: shrunk while the case fails in the same way: on the same path, by the same engine, in the same
// class. At most `seconds` are spent.
[[nodiscard]] Finding reduce(const Finding& finding, LibTorch& reference, double seconds = 2);

// Where the case is counted, once it has been verified. native: what FBGEMM runs with when nothing is forced.
[[nodiscard]] Cell cell_of(const ConvCase& c, FbgemmPath path, Engine picked, Isa native);

}  // namespace tieout
