#pragma once
// One case verified: the reference runs, the subject runs, every element is compared, the tolerance is zero.

#include <string>
#include <vector>

#include "cases/conv_case.h"
#include "kernels/conv_relu.h"
#include "oracle/libtorch.h"
#include "reports/finding.h"

namespace tieout {

struct Verdict {
  enum class Status {
    passed,
    differed,  // `finding` holds it; a refusal by the reference of a case that the subject answers is one, too
    skipped,   // not run, for `reason`
    errored,   // the reference is absent, for `reason`
  };
  Status status = Status::passed;
  std::string reason;
  FbgemmPath path = FbgemmPath::im2col;
  std::int64_t elements = 0;         // compared
  std::vector<ElementTrace> traces;  // of the subject, element by element
  Finding finding;                   // original_line is case_line
};

// c: valid. The subject is the scalar specification, asked for the arithmetic that the reference is known to follow.
[[nodiscard]] Verdict verify(const ConvCase& c, LibTorch& reference);

// The arithmetic that the reference of this case follows on this machine.
[[nodiscard]] Arithmetic expected_arithmetic(const ConvCase& c, const Hardware& hardware);

// The finding made small: shrunk while the case still differs. At most `seconds` are spent.
[[nodiscard]] Finding reduce(const Finding& finding, LibTorch& reference, double seconds = 1);

}  // namespace tieout
