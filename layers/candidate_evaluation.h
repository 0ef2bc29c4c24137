#pragma once
// Evaluates the requested hypotheses at candidates, each by the cheapest method that decides: by the distance of the
// exact value from a tie, by the exact sums, or literally. Sums of dequantized numbers, which are the most expensive,
// are collected and computed together.

#include <array>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "layers/error_bounds.h"
#include "layers/hypothesis_groups.h"
#include "layers/literal_sums.h"
#include "layers/mismatches.h"
#include "layers/simd/partial_sums.h"
#include "oracle/element/window.h"

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

// The results and buffers of one thread.
struct EvaluationState {
  explicit EvaluationState(std::size_t hypotheses, std::size_t most)
      : found(hypotheses, MismatchCollector(most)),
        groups{MismatchCollector(most), MismatchCollector(most), MismatchCollector(most)} {}

  std::vector<MismatchCollector> found;  // differences of each hypothesis
  std::array<MismatchCollector, HypothesisGroups::kGroups>
      groups;              // differences that all hypotheses of a group have in common
  std::int64_t image = 0;  // the image of the last element, which saves a division
  // Elements whose float64 and float32 sums have to be computed literally.
  std::vector<OutputElement> in_float64, in_float32;
  std::int64_t summed = 0;  // number of sums that were computed
  LiteralSums<float>::Room floats;
  LiteralSums<double>::Room doubles;
  OrderedWindow ordered;  // the window of the last partial sums
  Window window;          // a window with its elements
  Window sums;            // a window of sums
};

class CandidateEvaluator {
 public:
  // All arguments must outlive the evaluate. bounds: by output channel.
  CandidateEvaluator(const LayerView& layer, const HypothesisGroups& requested, std::span<const ChannelBounds> bounds,
                     SimdIsa isa);

  // Records in `findings` where the requested hypotheses differ from the answer at a candidate. Candidates come in the
  // order of their positions. Elements whose sums are needed are only collected until finish_sums().
  void evaluate(EvaluationState& findings, const Candidate& candidate) const;
  // Evaluates `entries` on the element's whole window and records those that differ from `answer`.
  void literally(EvaluationState& findings, const HypothesisGroups::Entries& entries, const OutputElement& element,
                 std::uint8_t answer) const;
  // Computes the sums that were collected. answers: the operator's output of the current piece, which begins at the
  // output position `first` and contains all collected elements.
  void finish_sums(EvaluationState& findings, std::int64_t first, const std::uint8_t* answers) const;

 private:
  struct Value {
    // The rounded value with the zero point; valid if the value is not near a tie.
    std::uint8_t value = 0;
    double margin = 0;  // distance to the nearest tie, in output steps
  };
  [[nodiscard]] Value value_of(double scaled) const;
  [[nodiscard]] static double reach_of(const ChannelBounds& b, double scaled) {
    return b.near + ChannelBounds::kSlope * std::fabs(scaled);
  }
  void agree(EvaluationState& findings, const HypothesisGroups::Entries& entries, const Candidate& candidate,
             std::uint8_t value) const;
  // Returns the error bound of the candidate's float32 sum by its own partial sums. It is mostly far below the bound
  // for any sum of this length.
  [[nodiscard]] double error_by_partial_sums(EvaluationState& findings, const Candidate& candidate,
                                             const ChannelBounds& b) const;
  void by_sums(EvaluationState& findings, const HypothesisGroups::Entries& entries, const Candidate& candidate) const;
  [[nodiscard]] std::int64_t offset(EvaluationState& findings, const OutputElement& element) const;

  const LayerView& layer_;
  const ConvCase& c_;
  const HypothesisGroups& asked_;
  std::span<const ChannelBounds> bounds_;
  std::int64_t plane_;
  std::int64_t length_;
  // Limits of the value that is rounded; the zero point is added after rounding.
  double lowest_, highest_;
  OrderedWindows windows_;
  PartialSums partial_sums_;
  LiteralSums<float> float32_;
  LiteralSums<double> float64_;
};

}  // namespace tieout
