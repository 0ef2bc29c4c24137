#pragma once
// Verifies one case: it runs the reference, computes our prediction and compares every element with a tolerance of
// zero. For FBGEMM the prediction is that of the specification kernel; for the other engines it is that of their model
// in oracle/.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cases/conv_case.h"
#include "kernels/conv_relu.h"
#include "kernels/subject.h"
#include "oracle/difference_class.h"
#include "oracle/known_defects.h"
#include "oracle/libtorch.h"
#include "props/departures.h"
#include "reports/diff.h"
#include "reports/finding.h"
#include "reports/run_summary.h"

namespace tieout {

// starved: the machine refused memory or a process, or ended one, so that there is no verdict. mistrusted: a known
// defect of the reference affects the case.
enum class Status : std::uint8_t { passed, differed, skipped, mistrusted, crashed, errored, starved };

// Selects the values that count as right for a subject. FBGEMM's own code departs from its contract: pairs of products
// saturate in 16 bits on some CPUs, and in depthwise code on all; see props/departures.h.
enum class Strictness {
  // At each element LibTorch's value, or the exact contract's where LibTorch's code departs from it.
  contract,
  // LibTorch's value on this machine.
  libtorch,
};

// Sets how a subject is verified.
struct Rules {
  Strictness strictness = Strictness::contract;
  // Time limit for one answer to a small case.
  double seconds = 5;
  // Outside of a run: whether a small case is tried after each of its twins (props/twins.h).
  bool every_twin = true;
};

struct Verdict {
  Status status = Status::passed;
  // Given for every status but differed; passed: why values other than LibTorch's count as right.
  std::string reason;
  FbgemmPath path = FbgemmPath::im2col;
  // The engine that computed the reference.
  Engine picked = Engine::fbgemm;
  // The known defect of the reference on this case, if there is one.
  const KnownDefect* defect = nullptr;
  std::int64_t elements = 0;  // Number of elements compared.
  // The traces of all elements by FBGEMM's rules.
  std::vector<ElementTrace> traces;
  // The reference's answer.
  Tensor<std::uint8_t> expected;
  // Set for a passed case in which the subject, if any, follows FBGEMM's code.
  Departure departure;
  // The possible causes of a difference from FBGEMM.
  PossibleCauses causes;
  // Set if a subject's behaviour and not its values is wrong: "unwritten output: ...".
  std::string conduct;
  // Set if the case differed or crashed; original_line equals case_line.
  Finding finding;
};

// Without a subject, LibTorch is compared with our prediction; with one, the subject is compared with LibTorch.

// Runs the reference here. Every tensor lies between unmapped pages, so that access outside of a buffer ends the
// process; without a subject, cases on which that is known to happen are skipped. c: a valid case.
[[nodiscard]] Verdict verify(const ConvCase& c, LibTorch& reference, Subject* subject = nullptr,
                             const Rules& rules = {});

// Runs the reference in a process of its own: a crash is a verdict, and no case is skipped. seconds: time limit of the
// reference.
[[nodiscard]] Verdict verify_alone(const ConvCase& c, LibTorch& reference, double seconds = 60,
                                   Subject* subject = nullptr, const Rules& rules = {});

// Limits the work of a reduction. Both limits are counted in cases and products, so that they end at the same case on
// every machine.
enum class Effort {
  thorough,
  // A few hundred tries at most: the case becomes small, if not as small as possible.
  quick,
};

// Ends the failure text of a finding that does not fail when its case is run alone.
inline constexpr std::string_view kOnlyAmongOthers =
    "among other cases, but not alone: its answer depends on what ran before";

// Shrinks the finding as long as the case fails in the same way: on the same path, by the same engine, in the same
// class. The limit of work depends on `effort`, so that the case is the same on a slow machine and on a fast one;
// `seconds` is a further limit.
[[nodiscard]] Finding reduce(const Finding& finding, LibTorch& reference, double seconds = 60,
                             Subject* subject = nullptr, const Rules& rules = {}, Effort effort = Effort::thorough);

// Finds the possible causes of the difference, and sets the finding's class, derivation and explained elements by them.
// verdict: picked and expected must be set. contracts: those that the subject may follow. Differences from engines
// other than FBGEMM stay unexplained.
void name_difference(Verdict& verdict, const ConvProblem& problem, std::span<const Contract> contracts,
                     const Tensor<std::uint8_t>& actual);

// Returns the first of the elements that differ. traces: of every element.
[[nodiscard]] std::vector<DiffElement> described(const Diff& d, const Tensor<std::uint8_t>& expected,
                                                 const Tensor<std::uint8_t>& actual,
                                                 const std::vector<ElementTrace>& traces);

// Returns the cell in which a verified case is counted. native: the instruction set that FBGEMM uses if none is forced.
[[nodiscard]] Cell cell_of(const ConvCase& c, FbgemmPath path, Engine picked, Isa native);

}  // namespace tieout
