#pragma once
// Classifies up to 64 candidates at once in vector registers by the work that remains for each. At most candidates
// nearly every requested hypothesis agrees with the operator, which takes a few comparisons to establish.

#include <array>
#include <cstdint>
#include <span>

#include "cases/machine/cpu.h"
#include "layers/error_bounds.h"
#include "layers/hypothesis_groups.h"

namespace tieout {

// An element that find_candidates() returned.
struct Candidate {
  OutputElement element;
  std::int32_t raw = 0;
  std::uint8_t answer = 0;
  // An upper bound of |x|, the Euclidean norm of x - xz over the window.
  double norm = 0;
  // True if a pair of products saturates in the window. The hypotheses with such pairs have then been evaluated
  // already.
  bool saturates = false;
};

// Constants of a layer for the comparisons.
struct EvaluationRules {
  // Limits of the value that is rounded; the zero point is added after rounding.
  double lowest = 0, highest = 255;
  int zero_point = 0;
  // The bits of CandidateMask that matter for the requested hypotheses.
  unsigned requested = 0;
};

// The remaining work for each candidate, as bits.
struct CandidateMask {
  static constexpr std::size_t kAtOnce = 64;
  // The value is near a tie for some hypothesis, or its rounding is not the answer: CandidateEvaluator evaluates all
  // hypotheses. In EvaluationRules::requested: hypotheses with Distance::activations are requested.
  static constexpr unsigned kEverything = 1;
  // Only without kEverything: the error bound of the float32 sum has to be refined.
  static constexpr unsigned kSum = 2;
  // Only without kEverything: a group of hypotheses with whole biases differs from the answer. One bit for each group,
  // shifted by HypothesisGroups::Group.
  static constexpr unsigned kDiffers = 4;

  std::array<std::int64_t, kAtOnce> bits;
  // The values of the hypotheses with whole biases, by group.
  std::array<std::array<std::int64_t, kAtOnce>, HypothesisGroups::kGroups> value;
};

// Fills `left` for at most kAtOnce candidates. The result is the same for every instruction set, and equal to what
// CandidateEvaluator::evaluate() finds for a single candidate. bounds: by output channel.
using FindLeft = void (*)(const EvaluationRules& rules, std::span<const ChannelBounds> bounds,
                          std::span<const Candidate> candidates, CandidateMask& left);
[[nodiscard]] FindLeft find_left(SimdIsa isa);

}  // namespace tieout
