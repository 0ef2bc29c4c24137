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
#include "kernels/subject/subject.h"
#include "oracle/hypotheses/mismatch_class.h"
#include "oracle/libtorch/libtorch.h"
#include "props/verify/reference.h"
#include "props/verify/verdict.h"
#include "reports/data/finding.h"
#include "reports/data/run_summary.h"
#include "reports/data/tensor_mismatches.h"

namespace tieout {

// Without a subject, LibTorch is compared with our prediction; with one, the subject is compared with the reference.
// The reference is LibTorch unless there is a subject.

// Runs the reference here. Every tensor lies between unmapped pages, so that access outside of a buffer ends the
// process; without a subject, cases on which that is known to happen are skipped. c: a valid case.
[[nodiscard]] Verdict verify(const ConvCase& c, const Reference& reference, Subject* subject = nullptr,
                             const Rules& rules = {});

// Runs the reference in a process of its own: a crash is a verdict, and no case is skipped. seconds: time limit of the
// reference.
[[nodiscard]] Verdict verify_alone(const ConvCase& c, const Reference& reference, double seconds = 60,
                                   Subject* subject = nullptr, const Rules& rules = {});

// Limits the work of shrinking a finding. Both limits are counted in cases and products, so that they end at the same
// case on every machine.
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
[[nodiscard]] Finding shrink_finding(const Finding& finding, const Reference& reference, double seconds = 60,
                                     Subject* subject = nullptr, const Rules& rules = {},
                                     Effort effort = Effort::thorough);

// Finds the possible causes of the difference, and sets the finding's class, derivation and explained elements by them.
// verdict: picked and expected must be set. contracts: those that the subject may follow. Differences from engines
// other than FBGEMM stay unexplained.
void classify_finding(Verdict& verdict, const ConvProblem& problem, std::span<const Contract> contracts,
                      const Answers& actual);

// Sets the finding's tensors and the first of its elements that differ, as their type stores them. expected, actual: as
// the case holds them. traces: of every element.
void describe_values(Finding& finding, OutputType type, const TensorMismatches& d, const Answers& expected,
                     const Answers& actual, const std::vector<ElementTrace>& traces);

// Returns the cell in which a verified case is counted. picked: the engine of LibTorch that computed the reference's
// answer; for another reference the cell names the reference in place of the engine.
[[nodiscard]] Cell cell_of(const ConvCase& c, FbgemmPath path, Engine picked, const Reference& reference);

}  // namespace tieout
