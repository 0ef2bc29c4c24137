#pragma once
// The verdict on one case, and the rules that it is reached by.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "kernels/conv_relu.h"
#include "oracle/engines/known_defects.h"
#include "oracle/hypotheses/mismatch_class.h"
#include "oracle/libtorch/libtorch.h"
#include "props/verify/departures.h"
#include "reports/data/finding.h"

namespace tieout {

// The outcome of a case. kStatusNames (reports/data/run_summary.h) has the names and meanings, in this order.
enum class Status : std::uint8_t { passed, differed, skipped, known_defect, crashed, unavailable, no_resources };

// Selects the values that count as right for a subject. FBGEMM's own code departs from its contract: pairs of products
// saturate in 16 bits on some CPUs, and in depthwise code on all; see props/verify/departures.h.
enum class Strictness {
  // At each element LibTorch's value, or the exact contract's where LibTorch's code departs from it.
  contract,
  // LibTorch's value on this machine. Has no effect if another implementation is the reference.
  libtorch,
};

// Sets how a subject is verified.
struct Rules {
  Strictness strictness = Strictness::contract;
  // Time limit for one answer to a small case.
  double seconds = 5;
  // Outside of a run: whether a small case is tried after each of its twins (props/generate/twins.h).
  bool every_twin = true;
};

struct Verdict {
  Status status = Status::passed;
  // Given for every status but differed; passed: why values other than LibTorch's count as right.
  std::string reason;
  FbgemmPath path = FbgemmPath::im2col;
  // The engine of LibTorch that computed the reference's answer; fbgemm for another reference.
  Engine picked = Engine::fbgemm;
  // The known defect of the reference on this case, if there is one.
  const KnownDefect* defect = nullptr;
  std::int64_t elements = 0;  // Number of elements compared.
  // The traces of all elements by FBGEMM's rules; by the exact contract for another reference than LibTorch.
  std::vector<ElementTrace> traces;
  // The reference's answer.
  Answers expected;
  // Set for a passed case in which the subject, if any, follows FBGEMM's code.
  Departure departure;
  // The possible causes of a difference from FBGEMM.
  PossibleCauses causes;
  // Set if a subject's behaviour and not its values is wrong: "unwritten output: ...".
  std::string conduct;
  // Set if the case differed or crashed; original_line equals case_line.
  Finding finding;
};

// Ends the verification of a case that is not compared.
inline void end_without_answer(Verdict& verdict, Status status, std::string reason) {
  verdict.status = status;
  verdict.reason = std::move(reason);
}

}  // namespace tieout
