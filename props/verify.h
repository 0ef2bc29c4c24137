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
  std::vector<ElementTrace> traces;     // of the specification kernel, element by element
  Finding finding;                      // where differed or crashed; original_line is case_line
};

// What may happen to the process that calls verify().
enum class Process {
  must_live,  // cases on which the reference is known to leave its buffers are skipped
  may_die,    // everything runs, and every tensor lies between unmapped pages
};

// c: valid.
[[nodiscard]] Verdict verify(const ConvCase& c, LibTorch& reference, Process process = Process::must_live);

// The same in a process of its own: a crash is a verdict. seconds: what a hang is.
[[nodiscard]] Verdict verify_alone(const ConvCase& c, LibTorch& reference, double seconds = 60);

// The finding made small, in processes of their own: shrunk while the case fails in the same way: on the same path, by the
// same engine, in the same class. At most `seconds` are spent.
[[nodiscard]] Finding reduce(const Finding& finding, LibTorch& reference, double seconds = 2);

// Where the case is counted, once it has been verified.
[[nodiscard]] Cell cell_of(const ConvCase& c, FbgemmPath path, Engine picked, Isa native);

}  // namespace tieout
