#pragma once
// Evaluates the requested hypotheses at candidates, each by the cheapest method that decides: by the distance of the
// exact value from a tie, by the exact sums, or literally. Sums of dequantized numbers, which are the most expensive,
// are collected and computed together.

#include <cmath>
#include <span>
#include <vector>

#include "layers/candidate_filter.h"
#include "layers/literal_sums.h"
#include "layers/mismatches.h"
#include "layers/simd/partial_sums.h"
#include "oracle/element/window.h"

namespace tieout {

// The results and buffers of one thread.
struct EvaluationState {
  explicit EvaluationState(std::size_t hypotheses, std::size_t most)
      : found(hypotheses, MismatchCollector(most)),
        groups{MismatchCollector(most), MismatchCollector(most), MismatchCollector(most)} {}

  std::vector<MismatchCollector> found;  // differences of each hypothesis
  std::array<MismatchCollector, HypothesisGroups::kGroups>
      groups;              // differences that all hypotheses of a group have in common
  CandidateMask left;      // the classification of the current candidates
  std::int64_t image = 0;  // the image of the last element, which saves a division
  // Candidates whose bound on the float32 sum has to be refined by their partial sums.
  std::vector<Candidate> in_float32;
  // For each of these, the sum over j of |S_j| without the part inside of blocks (partial_sums.h).
  std::vector<std::int64_t> partial_sums;
  // Elements whose float64 and float32 sums have to be computed literally.
  std::vector<OutputElement> in_float64, sums32;
  std::int64_t summed = 0;  // number of sums that were computed
  LiteralSums<float>::Room floats;
  LiteralSums<double>::Room doubles;
  OrderedWindow ordered;
  // `in_float32` ordered by channel.
  struct ByChannel {
    std::vector<const std::uint8_t*> taps;  // kernel positions of all windows
    std::vector<std::size_t> taps_of, begin, which;
    std::vector<const std::uint8_t* const*> x;
    std::vector<std::int64_t> sums;
  } by_channel;
  Window window;  // a window with its elements
  Window sums;    // a window of sums
};

class CandidateEvaluator {
 public:
  // All arguments must outlive the evaluate. bounds: by output channel.
  CandidateEvaluator(const LayerView& layer, const HypothesisGroups& requested, std::span<const ChannelBounds> bounds,
                     SimdIsa isa);

  // Records in `findings` where the requested hypotheses differ from the answer at the candidates. candidates: in the
  // order of their positions. Elements whose sums are needed are only collected until finish_sums().
  void evaluate(EvaluationState& findings, std::span<const Candidate> candidates) const;
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
  void evaluate(EvaluationState& findings, const Candidate& candidate) const;
  void evaluate_some(EvaluationState& findings, std::span<const Candidate> candidates) const;
  [[nodiscard]] Value value_of(double scaled) const;
  [[nodiscard]] static double reach_of(const ChannelBounds& b, double scaled) {
    return b.near + ChannelBounds::kSlope * std::fabs(scaled);
  }
  void agree(EvaluationState& findings, const HypothesisGroups::Entries& entries, const Candidate& candidate,
             std::uint8_t value) const;
  void by_partial_sums(EvaluationState& findings) const;
  void find_partial_sums(EvaluationState& findings) const;
  void find_by_taps(EvaluationState& findings) const;
  void by_sums(EvaluationState& findings, const HypothesisGroups::Entries& entries, const Candidate& candidate) const;
  [[nodiscard]] std::int64_t offset(EvaluationState& findings, const OutputElement& element) const;

  const LayerView& layer_;
  const ConvCase& c_;
  const HypothesisGroups& asked_;
  std::span<const ChannelBounds> bounds_;
  std::int64_t plane_;
  std::int64_t length_;
  EvaluationRules rules_;
  FindLeft find_left_;
  OrderedWindows windows_;
  PartialSums partial_sums_;
  // Not nullptr if by_taps_ holds weights.
  PartialSumsByTaps sums_by_taps_ = nullptr;
  std::int64_t block_;  // products per block of the partial sums
  // K x kernel x C/groups: the weights for PartialSumTaps, or empty.
  std::vector<std::int8_t> by_taps_;
  LiteralSums<float> float32_;
  LiteralSums<double> float64_;
};

}  // namespace tieout
