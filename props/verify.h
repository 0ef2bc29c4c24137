#pragma once
// One case verified: the reference runs, our prediction is computed, every element is compared, the tolerance is zero.
// For FBGEMM the prediction is the specification kernel's; for the other engines it is their model in oracle/.

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

// starved: the machine refused memory or a process, or ended one, so that there is no verdict.
enum class Status : std::uint8_t { passed, differed, skipped, mistrusted, crashed, errored, starved };

// Which values a subject may answer with. FBGEMM's own code departs from its contract: pairs of products that saturate in
// 16 bits on some CPUs, and in depthwise code everywhere; see props/departures.h.
enum class Strictness {
  contract,  // at each element LibTorch's, or the exact contract's where LibTorch's code departs from it
  libtorch,  // LibTorch's, on this machine
};

// How a subject is judged.
struct Rules {
  Strictness strictness = Strictness::contract;
  double seconds = 5;      // for one answer to a small case: what a hang is
  bool every_twin = true;  // outside of a run: whether a small case is tried after each of its twins (props/twins.h)
};

struct Verdict {
  Status status = Status::passed;
  std::string reason;  // of every status but differed; passed: why values other than LibTorch's count as right
  FbgemmPath path = FbgemmPath::im2col;
  Engine picked = Engine::fbgemm;       // who computed the reference
  const KnownDefect* defect = nullptr;  // of the reference on this case, if one is known
  std::int64_t elements = 0;            // compared
  std::vector<ElementTrace> traces;     // by FBGEMM's rules, element by element
  Tensor<std::uint8_t> expected;        // what the reference answered
  Departure departure;                  // of a passed case in which the subject, if any, follows FBGEMM's code
  PossibleCauses causes;                // of a difference from FBGEMM
  std::string conduct;                  // of a subject, where that and not its values is wrong: "unwritten output: ..."
  Finding finding;                      // where differed or crashed; original_line is case_line
};

// Without a subject, LibTorch is compared with our prediction; with one, the subject is compared with LibTorch.

// Runs the reference here. Every tensor lies between unmapped pages, so that leaving one's buffers ends the process; cases
// on which that is known to happen are skipped. c: valid.
[[nodiscard]] Verdict verify(const ConvCase& c, LibTorch& reference, Subject* subject = nullptr,
                             const Rules& rules = {});

// Runs the reference in a process of its own: a crash is a verdict, and everything is run. seconds: what a hang is, of the
// reference.
[[nodiscard]] Verdict verify_alone(const ConvCase& c, LibTorch& reference, double seconds = 60,
                                   Subject* subject = nullptr, const Rules& rules = {});

// How much work a reduction may be. Both limits are counted in cases and products, so that what they leave is the same on
// every machine.
enum class Effort {
  thorough,
  quick,  // a few hundred tries: the case becomes small, if not as small as it can be
};

// The end of the failure of a finding that does not fail when its case is run alone.
inline constexpr std::string_view kOnlyAmongOthers =
    "among other cases, but not alone: its answer depends on what ran before";

// The finding made small: shrunk while the case fails in the same way: on the same path, by the same engine, in the same
// class. It ends after so much work, so that the case is the same on a slow machine and on a fast one; or after `seconds`.
[[nodiscard]] Finding reduce(const Finding& finding, LibTorch& reference, double seconds = 60,
                             Subject* subject = nullptr, const Rules& rules = {}, Effort effort = Effort::thorough);

// Finds the possible causes of the difference, and sets the finding's class, derivation and explained elements by them.
// verdict: picked and expected are known. contracts: those that the subject may follow; those of engines other than FBGEMM are
// not taken apart.
void name_difference(Verdict& verdict, const ConvProblem& problem, std::span<const Contract> contracts,
                     const Tensor<std::uint8_t>& actual);

// The first of the elements that differ. traces: of every element.
[[nodiscard]] std::vector<DiffElement> described(const Diff& d, const Tensor<std::uint8_t>& expected,
                                                 const Tensor<std::uint8_t>& actual,
                                                 const std::vector<ElementTrace>& traces);

// Where the case is counted, once it has been verified. native: what FBGEMM runs with when nothing is forced.
[[nodiscard]] Cell cell_of(const ConvCase& c, FbgemmPath path, Engine picked, Isa native);

}  // namespace tieout
