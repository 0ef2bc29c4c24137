#include "layers/candidate_evaluation.h"

#include <algorithm>
#include <array>
#include <numeric>

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
      rules_{.lowest = static_cast<double>(c_.relu == Relu::on ? 0 : -c_.output_zero_point),
             .highest = static_cast<double>(255 - c_.output_zero_point),
             .zero_point = static_cast<int>(c_.output_zero_point)},
      find_left_(find_left(isa)),
      windows_(layer),
      partial_sums_(partial_sums(isa)),
      block_(kPartialSumBlock),
      float32_(layer, isa),
      float64_(layer, isa) {
  if (!requested.activations.empty()) rules_.requested |= CandidateMask::kEverything;
  if (!requested.float_sum.empty()) rules_.requested |= CandidateMask::kSum;
  for (unsigned group = 0; group < HypothesisGroups::kGroups; ++group) {
    if (!requested.groups[group].empty()) rules_.requested |= CandidateMask::kDiffers << group;
  }
  const std::int64_t taps = volume(c_.kernel), channels = c_.in_channels / c_.groups;
  const PartialSumsByTaps sums = partial_sums_by_taps(isa);
  if (requested.float_sum.empty() || sums == nullptr || taps == 1 || channels % kTapChannels != 0) return;
  if (has_weight_zero_point(c_)) return;
  sums_by_taps_ = sums;
  by_taps_ = transposed(layer.weight, c_.out_channels, channels, taps);
  block_ = PartialSumTaps{.taps = taps}.block();
}

// Elements come position by position, so that only the first element of an image needs a division.
std::int64_t CandidateEvaluator::offset(EvaluationState& findings, const OutputElement& element) const {
  std::int64_t& image = findings.image;
  if (element.position < image * plane_ || element.position >= (image + 1) * plane_) image = element.position / plane_;
  return (image * (c_.out_channels - 1) + element.k) * plane_ + element.position;
}

CandidateEvaluator::Value CandidateEvaluator::value_of(double scaled) const {
  const double inside = std::min(std::max(scaled, rules_.lowest), rules_.highest);
  const auto nearest = static_cast<int>(inside + 256.5) - 256;  // inside: -255 .. 255
  return {static_cast<std::uint8_t>(nearest + rules_.zero_point), 0.5 - std::fabs(inside - nearest)};
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
  if (exact.margin > reach + candidate.norm * b.float_sum + b.half * std::fabs(scaled - b.bias)) {
    agree(findings, asked_.float_sum, candidate, exact.value);
  } else if (!asked_.float_sum.empty()) {
    findings.in_float32.push_back(candidate);
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

void CandidateEvaluator::evaluate(EvaluationState& findings, std::span<const Candidate> candidates) const {
  for (; candidates.size() > CandidateMask::kAtOnce; candidates = candidates.subspan(CandidateMask::kAtOnce)) {
    evaluate_some(findings, candidates.first(CandidateMask::kAtOnce));
  }
  if (!candidates.empty()) evaluate_some(findings, candidates);
}

// Sorts the candidates into lists by the kind of work that remains, because the kinds alternate unpredictably.
void CandidateEvaluator::evaluate_some(EvaluationState& findings, std::span<const Candidate> candidates) const {
  CandidateMask& left = findings.left;
  find_left_(rules_, bounds_, candidates, left);
  std::array<std::uint8_t, CandidateMask::kAtOnce> with_sum, with_group, with_everything;
  std::size_t sums = 0, groups = 0, everything = 0;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const auto bits = static_cast<unsigned>(left.bits[i]);
    with_everything[everything] = with_sum[sums] = with_group[groups] = static_cast<std::uint8_t>(i);
    // `others` has all bits set unless kEverything is set
    const unsigned all = bits & CandidateMask::kEverything, others = all - 1;
    everything += all;
    sums += (bits & others & CandidateMask::kSum) / CandidateMask::kSum;
    groups += static_cast<std::size_t>((bits & others) >= CandidateMask::kDiffers);
  }
  for (std::size_t i = 0; i < everything; ++i) evaluate(findings, candidates[with_everything[i]]);
  for (std::size_t i = 0; i < sums; ++i) findings.in_float32.push_back(candidates[with_sum[i]]);
  for (std::size_t i = 0; i < groups; ++i) {
    const std::size_t which = with_group[i];
    const Candidate& candidate = candidates[which];
    for (std::size_t group = 0; group < HypothesisGroups::kGroups; ++group) {
      if ((left.bits[which] & (CandidateMask::kDiffers << group)) == 0) continue;
      const auto value = static_cast<std::uint8_t>(left.value[group][which]);
      findings.groups[group].note(offset(findings, candidate.element), value, candidate.answer);
    }
  }
}

void CandidateEvaluator::find_partial_sums(EvaluationState& findings) const {
  findings.partial_sums.clear();
  for (const Candidate& candidate : findings.in_float32) {
    const OutputElement& element = candidate.element;
    windows_.gather(element, findings.ordered);
    findings.partial_sums.push_back(
        partial_sums_({.x = findings.ordered.x,
                       .w = layer_.weight + element.k * length_,
                       .count = length_,
                       .activation_zero_point = static_cast<std::int32_t>(c_.activation_zero_point),
                       .weight_zero_point = static_cast<std::int32_t>(weight_zero_point(c_, element.k))}));
  }
}

// Processes one channel after the other, so that the weights, megabytes in total, are read once. Activations are few in
// comparison.
void CandidateEvaluator::find_by_taps(EvaluationState& findings) const {
  const std::vector<Candidate>& candidates = findings.in_float32;
  const auto taps = static_cast<std::size_t>(volume(c_.kernel)), count = candidates.size();
  EvaluationState::ByChannel& order = findings.by_channel;
  order.taps.clear();
  order.taps_of.resize(count);
  order.begin.assign(static_cast<std::size_t>(c_.out_channels) + 1, 0);
  for (std::size_t i = 0; i < count; ++i) {  // mostly position by position
    const OutputElement& element = candidates[i].element;
    const OrderedWindow& window = findings.ordered;
    if (order.taps.empty() || !windows_.holds(element, window)) {
      windows_.locate(element, findings.ordered);
      order.taps.insert(order.taps.end(), window.taps.begin(), window.taps.end());
    }
    order.taps_of[i] = order.taps.size() - taps;
    ++order.begin[static_cast<std::size_t>(element.k) + 1];
  }
  std::partial_sum(order.begin.begin(), order.begin.end(), order.begin.begin());
  order.which.resize(count);
  order.x.resize(count);
  order.sums.resize(count);
  std::vector<std::size_t>& next = order.begin;  // afterwards, the beginning of the next channel
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t place = next[static_cast<std::size_t>(candidates[i].element.k)]++;
    order.which[place] = i;
    order.x[place] = order.taps.data() + order.taps_of[i];
  }
  const PartialSumTaps running{.taps = static_cast<std::int64_t>(taps),
                               .channels = length_ / static_cast<std::int64_t>(taps),
                               .activation_zero_point = static_cast<std::int32_t>(c_.activation_zero_point)};
  for (std::int64_t k = 0, first = 0; k < c_.out_channels; ++k) {
    const auto end = static_cast<std::int64_t>(next[static_cast<std::size_t>(k)]);
    PartialSumTaps of_channel = running;
    of_channel.w = by_taps_.data() + k * length_;
    sums_by_taps_(of_channel, {order.x.data() + first, order.x.data() + end}, order.sums.data() + first);
    first = end;
  }
  findings.partial_sums.resize(count);
  for (std::size_t place = 0; place < count; ++place) findings.partial_sums[order.which[place]] = order.sums[place];
}

// Replaces the bound for any sum of this length by the bound for this sum, which excludes most of the collected
// candidates.
void CandidateEvaluator::by_partial_sums(EvaluationState& findings) const {
  if (findings.in_float32.empty()) return;
  if (by_taps_.empty()) {
    find_partial_sums(findings);
  } else {
    find_by_taps(findings);
  }
  const double hidden = static_cast<double>(block_) / 2 + 5;
  for (std::size_t i = 0; i < findings.in_float32.size(); ++i) {
    const Candidate& candidate = findings.in_float32[i];
    const ChannelBounds& b = bounds_[static_cast<std::size_t>(candidate.element.k)];
    const double lost = b.running * (static_cast<double>(findings.partial_sums[i]) + hidden * candidate.norm * b.norm);
    const double scaled = candidate.raw * b.multiplier + b.bias;
    const Value exact = value_of(scaled);
    if (exact.margin > reach_of(b, scaled) + lost) {
      agree(findings, asked_.float_sum, candidate, exact.value);
    } else {
      findings.sums32.push_back(candidate.element);
    }
  }
  findings.in_float32.clear();
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
  // The activations may have changed since the window was gathered.
  findings.ordered.position = -1;
  by_partial_sums(findings);
  finish(float64_, findings.doubles, findings.in_float64, asked_.activations, InFloat64{manual_output_1});
  finish(float32_, findings.floats, findings.sums32, asked_.float_sum, InFloat32{manual_output_2});
}

}  // namespace tieout
