#include "layers/candidate_evaluation.h"

#include <algorithm>

#include "cases/case_predicates.h"
#include "cases/layout.h"
#include "oracle/hypotheses/dequantized.h"

namespace tieout {

CandidateEvaluator::CandidateEvaluator(const LayerView& layer, const HypothesisGroups& requested,
                                       std::span<const ChannelBounds> bounds, SimdIsa isa)
    : layer_(layer),
      c_(*layer.spec),
      asked_(requested),
      bounds_(bounds),
      plane_(volume(output_size(c_))),
      length_(reduction_length(c_)),
      lowest_(static_cast<double>(c_.relu == Relu::on ? 0 : -c_.output_zero_point)),
      highest_(static_cast<double>(255 - c_.output_zero_point)),
      windows_(layer),
      partial_sums_(partial_sums(isa)),
      float32_(layer, isa),
      float64_(layer, isa) {}

// Elements come position by position, so that only the first element of an image needs a division.
std::int64_t CandidateEvaluator::offset(EvaluationState& findings, const OutputElement& element) const {
  std::int64_t& image = findings.image;
  if (element.position < image * plane_ || element.position >= (image + 1) * plane_) image = element.position / plane_;
  return (image * (c_.out_channels - 1) + element.k) * plane_ + element.position;
}

CandidateEvaluator::Value CandidateEvaluator::value_of(double scaled) const {
  const double inside = std::min(std::max(scaled, lowest_), highest_);
  const auto nearest = static_cast<int>(inside + 256.5) - 256;  // inside: -255 .. 255
  return {static_cast<std::uint8_t>(nearest + c_.output_zero_point), 0.5 - std::fabs(inside - nearest)};
}

// Evaluates `entries` on a window of sums, which is all that these hypotheses read. `raw` takes the place of the
// products, and the zero points are set to 0, so that exact_sum() is unchanged.
void CandidateEvaluator::by_sums(EvaluationState& findings, const HypothesisGroups::Entries& entries,
                                 const Candidate& candidate) const {
  Window& window = findings.sums;
  if (window.x.size() != static_cast<std::size_t>(length_)) window.x.resize(static_cast<std::size_t>(length_));
  describe(c_, candidate.element.k, window);
  window.xz = window.wz = 0;
  window.activations = window.weights = 0;
  window.products = candidate.raw;
  for (const HypothesisGroups::Entry& entry : entries) {
    findings.found[entry.index].note(offset(findings, candidate.element), entry.hypothesis->evaluate(window, nullptr),
                                     candidate.answer);
  }
}

void CandidateEvaluator::literally(EvaluationState& findings, const HypothesisGroups::Entries& entries,
                                   const OutputElement& element, std::uint8_t answer) const {
  if (entries.empty()) return;
  gather(layer_, element, findings.window);
  for (const HypothesisGroups::Entry& entry : entries) {
    findings.found[entry.index].note(offset(findings, element), entry.hypothesis->evaluate(findings.window, nullptr),
                                     answer);
  }
}

void CandidateEvaluator::agree(EvaluationState& findings, const HypothesisGroups::Entries& entries,
                               const Candidate& candidate, std::uint8_t value) const {
  if (value == candidate.answer) return;
  for (const HypothesisGroups::Entry& entry : entries) {
    findings.found[entry.index].note(offset(findings, candidate.element), value, candidate.answer);
  }
}

void CandidateEvaluator::evaluate(EvaluationState& findings, const Candidate& candidate) const {
  const ChannelBounds& b = bounds_[static_cast<std::size_t>(candidate.element.k)];
  if (!b.bounds_hold) {
    literally(findings, asked_.all, candidate.element, candidate.answer);
    return;
  }
  const double scaled = candidate.raw * b.multiplier + b.bias;
  const Value exact = value_of(scaled);
  const double reach = reach_of(b, scaled);
  const bool far = exact.margin > reach;
  if (far) {
    agree(findings, asked_.near, candidate, exact.value);
    if (!candidate.saturates) agree(findings, asked_.by_pairs, candidate, exact.value);
  } else {
    by_sums(findings, asked_.near, candidate);
    if (!candidate.saturates) by_sums(findings, asked_.by_pairs, candidate);
  }
  if (exact.margin > reach + candidate.norm * b.activations) {
    agree(findings, asked_.activations, candidate, exact.value);
  } else if (!asked_.activations.empty()) {
    findings.in_float64.push_back(candidate.element);
  }
  const double in_sum = candidate.norm * b.float_sum + b.half * std::fabs(scaled - b.bias);
  if (asked_.float_sum.empty() || exact.margin > reach + in_sum ||
      exact.margin > reach + error_by_partial_sums(findings, candidate, b)) {
    agree(findings, asked_.float_sum, candidate, exact.value);
  } else {
    findings.in_float32.push_back(candidate.element);
  }
  const auto whole_bias = [&](HypothesisGroups::Group group, bool known, double shift) {
    if (asked_.groups[group].empty()) return;
    const Value value = known ? value_of(scaled + shift) : exact;
    const double wide = known ? 0 : ChannelBounds::kUnknownBias * b.multiplier;
    if (value.margin <= reach_of(b, scaled + shift) + wide) {
      by_sums(findings, asked_.groups[group], candidate);
    } else if (value.value != candidate.answer) {
      findings.groups[group].note(offset(findings, candidate.element), value.value, candidate.answer);
    }
  };
  whole_bias(HypothesisGroups::kNearest, b.nearest_known, b.nearest);
  whole_bias(HypothesisGroups::kTruncated, b.truncated_known, b.truncated);
  whole_bias(HypothesisGroups::kTwice, b.nearest_known, b.nearest + (scaled + b.nearest < 0 ? -b.twice : b.twice));
}

double CandidateEvaluator::error_by_partial_sums(EvaluationState& findings, const Candidate& candidate,
                                                 const ChannelBounds& b) const {
  constexpr double kHidden = static_cast<double>(kPartialSumBlock) / 2 + 5;
  const OutputElement& element = candidate.element;
  windows_.gather(element, findings.ordered);
  const std::int64_t ends =
      partial_sums_({.x = findings.ordered.x,
                     .w = layer_.weight + element.k * length_,
                     .count = length_,
                     .activation_zero_point = static_cast<std::int32_t>(c_.activation_zero_point),
                     .weight_zero_point = static_cast<std::int32_t>(weight_zero_point(c_, element.k))});
  return b.running * (static_cast<double>(ends) + kHidden * candidate.norm * b.norm);
}

void CandidateEvaluator::finish_sums(EvaluationState& findings, std::int64_t first, const std::uint8_t* answers) const {
  const auto finish = [&](const auto& sums, auto& room, std::vector<OutputElement>& elements,
                          const HypothesisGroups::Entries& entries, auto finished) {
    sums.visit(elements, room, [&](std::size_t i, auto sum) {
      const OutputElement& element = elements[i];
      describe(c_, element.k, findings.sums);
      const std::uint8_t value = finished(sum, findings.sums, nullptr);
      const std::uint8_t answer = answers[(element.position - first) * c_.out_channels + element.k];
      for (const HypothesisGroups::Entry& entry : entries)
        findings.found[entry.index].note(offset(findings, element), value, answer);
    });
    findings.summed += static_cast<std::int64_t>(elements.size());
    elements.clear();
  };
  using InFloat64 = std::uint8_t (*)(double, const Window&, Trace*);
  using InFloat32 = std::uint8_t (*)(float, const Window&, Trace*);
  finish(float64_, findings.doubles, findings.in_float64, asked_.activations, InFloat64{manual_output_1});
  finish(float32_, findings.floats, findings.in_float32, asked_.float_sum, InFloat32{manual_output_2});
  findings.ordered.position = -1;  // the activations of the next piece may be others
}

}  // namespace tieout
