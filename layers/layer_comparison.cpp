#include "layers/layer_comparison.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <utility>

#include "layers/candidate_evaluation.h"
#include "layers/sum_check.h"
#include "layers/window_norms.h"

namespace tieout {
namespace {

// An arbitrary constant, so that runs are reproducible.
constexpr std::uint64_t kSumCheckSeed = 0x7469656f7574;

// Adds the differences of a group of hypotheses to those of one of its hypotheses.
void join(Mismatches& alone, const Mismatches& group, std::size_t most) {
  alone.differing += group.differing;
  alone.largest = std::max(alone.largest, group.largest);
  std::vector<Mismatches::Element> both;
  both.reserve(alone.first.size() + group.first.size());
  std::merge(alone.first.begin(), alone.first.end(), group.first.begin(), group.first.end(), std::back_inserter(both),
             [](const auto& a, const auto& b) { return a.offset < b.offset; });
  if (both.size() > most) both.resize(most);
  alone.first = std::move(both);
}

}  // namespace

struct LayerComparison::Part::State {
  std::optional<EvaluationState> findings;
  std::vector<OutputElement> wrong, saturating, odd;
  std::int64_t looked_at = 0;
  SumCheck::Room room;
  std::vector<std::uint8_t> marks;
  std::vector<std::uint32_t> candidates;  // their indices within the piece
  std::vector<float> norms;
};

void LayerComparison::Part::clear() {
  state_->findings.reset();
  state_->wrong.clear();
  state_->saturating.clear();
  state_->looked_at = 0;
}

LayerComparison::Part::Part() : state_(std::make_unique<State>()) {}
LayerComparison::Part::~Part() = default;
LayerComparison::Part::Part(Part&&) noexcept = default;
LayerComparison::Part& LayerComparison::Part::operator=(Part&&) noexcept = default;

struct LayerComparison::Layer {
  using State = Part::State;

  Layer(std::span<const Hypothesis* const> hypotheses, ConvCase spec, const std::int8_t* weight, std::size_t most_kept,
        SimdIsa isa)
      : c(std::move(spec)),
        view{&c, nullptr, weight},
        most(most_kept),
        requested(hypotheses, c, weight),
        extremes_by_channel(pair_extremes(c, weight, isa)),
        extremes(widest(extremes_by_channel)),
        odd_extremes(requested.odd_pairs ? pair_extremes(c, weight, isa, PairsFrom::odd) : std::vector<PairExtremes>{}),
        bounds(channel_bounds(c, weight, isa)),
        table(near_tie_table(c, bounds, requested.reaches())),
        lanes(layer_loops(isa)),
        simd_isa(isa),
        find(find_candidates(isa)),
        norms(view, isa,
              requested.activations.empty() && requested.float_sum.empty() ? WindowNorms::Detail::none
                                                                           : WindowNorms::Detail::windows),
        proof(view, bounds, kSumCheckSeed, isa),
        evaluate(view, requested, bounds, isa) {}

  // True if the distance from a tie decides for some hypothesis, or some channel is not bounds_hold.
  [[nodiscard]] bool by_distance() const {
    return requested.everywhere.size() < requested.all.size() ||
           std::any_of(bounds.begin(), bounds.end(), [](const ChannelBounds& b) { return !b.bounds_hold; });
  }

  [[nodiscard]] OutputElement at(std::int64_t first, std::uint32_t place) const {
    const auto channels = static_cast<std::uint32_t>(c.out_channels);
    return {first + place / channels, place % channels};
  }

  void see(State& s, std::int64_t first, std::int64_t count, std::int32_t* sums, const std::uint8_t* answer) const {
    if (!s.findings) s.findings.emplace(requested.all.size(), most);
    EvaluationState& findings = *s.findings;
    proof.correct(first, count, sums, s.room, s.wrong);
    const std::int64_t elements = count * c.out_channels;
    s.marks.clear();
    mark_pairs(s, findings, first, count, answer);
    if (!requested.everywhere.empty()) {
      for (std::int64_t i = 0; i < elements; ++i) {
        const OutputElement element = at(first, static_cast<std::uint32_t>(i));
        if (!bounds_hold(element)) continue;  // the evaluate evaluates all hypotheses of such channels
        evaluate.literally(findings, requested.everywhere, element, answer[i]);
      }
    }
    if (!by_distance()) return;
    norms.measure(first, count, table.period / c.out_channels, s.norms);
    if (s.candidates.size() < static_cast<std::size_t>(elements))
      s.candidates.resize(static_cast<std::size_t>(elements));
    const std::int64_t found = find(table, sums, answer, elements, s.norms.data(), s.candidates.data());
    s.looked_at += found;
    const auto period = static_cast<std::uint32_t>(table.period);
    for (std::int64_t i = 0; i < found; ++i) {
      const std::uint32_t place = s.candidates[static_cast<std::size_t>(i)];
      evaluate.evaluate(findings, {.element = at(first, place),
                                   .raw = sums[place],
                                   .answer = answer[place],
                                   .norm = static_cast<double>(s.norms[place / period]),
                                   .saturates = !s.marks.empty() && s.marks[place] != 0});
    }
    evaluate.finish_sums(findings, first, answer);
  }

  [[nodiscard]] bool bounds_hold(const OutputElement& element) const {
    return bounds[static_cast<std::size_t>(element.k)].bounds_hold;
  }

  // Saturating pairs decide for some hypotheses wherever the value lies: these are evaluated literally.
  void mark_pairs(State& s, EvaluationState& findings, std::int64_t first, std::int64_t count,
                  const std::uint8_t* answer) const {
    const std::size_t before = s.saturating.size();
    s.odd.clear();
    if (pairs) pairs->find(first, count, s.saturating);
    if (odd_pairs) odd_pairs->find(first, count, s.odd);
    if ((s.saturating.size() == before && s.odd.empty()) || requested.by_pairs.empty()) return;
    s.marks.assign(static_cast<std::size_t>(count * c.out_channels), 0);
    const auto mark = [&](const OutputElement& element) {
      const auto place = static_cast<std::size_t>((element.position - first) * c.out_channels + element.k);
      if (s.marks[place] != 0) return;
      s.marks[place] = 1;
      if (bounds_hold(element)) evaluate.literally(findings, requested.by_pairs, element, answer[place]);
    };
    std::for_each(s.saturating.begin() + static_cast<std::ptrdiff_t>(before), s.saturating.end(), mark);
    std::for_each(s.odd.begin(), s.odd.end(), mark);
  }

  // Returns the range of the activations, including padding.
  [[nodiscard]] ActivationRange range() const {
    auto lowest = static_cast<std::uint8_t>(c.activation_zero_point), highest = lowest;
    const std::int64_t count = c.batch * c.in_channels * volume(c.input);
    if (count > 0) lanes.extremes(view.activation, count, &lowest, &highest);
    const auto xz = static_cast<int>(c.activation_zero_point);
    return {std::min<int>(lowest, xz), std::max<int>(highest, xz)};
  }

  ConvCase c;
  LayerView view;
  std::size_t most;
  HypothesisGroups requested;
  std::vector<PairExtremes> extremes_by_channel;
  PairExtremes extremes;
  // Empty if no requested hypothesis has pairs that begin at odd places.
  std::vector<PairExtremes> odd_extremes;
  std::vector<ChannelBounds> bounds;
  NearTieTable table;
  LayerLoops lanes;
  SimdIsa simd_isa;
  FindCandidates find;
  WindowNorms norms;
  SumCheck proof;
  CandidateEvaluator evaluate;
  // The state of the current call.
  std::optional<SaturatingPairs> pairs, odd_pairs;  // nullopt if no pair can saturate
};

LayerComparison::LayerComparison(std::span<const Hypothesis* const> hypotheses, const ConvCase& spec,
                                 const std::int8_t* weight, std::size_t most, SimdIsa isa)
    : layer_(std::make_unique<Layer>(hypotheses, spec, weight, most, isa)) {}
LayerComparison::~LayerComparison() = default;

const PairExtremes& LayerComparison::extremes() const { return layer_->extremes; }

ActivationRange LayerComparison::begin(const std::uint8_t* activation) {
  Layer& layer = *layer_;
  layer.view.activation = activation;
  const ActivationRange range = layer.range();
  layer.norms.begin(range);
  layer.pairs.reset();
  if (layer.extremes.leave_int16(range.highest)) {
    layer.pairs.emplace(layer.view, range, layer.extremes_by_channel, layer.simd_isa);
  }
  layer.odd_pairs.reset();
  if (widest(layer.odd_extremes).leave_int16(range.highest)) {
    layer.odd_pairs.emplace(layer.view, range, layer.odd_extremes, layer.simd_isa, PairsFrom::odd);
  }
  return range;
}

void LayerComparison::see(Part& part, std::int64_t first, std::int64_t count, std::int32_t* sums,
                          const std::uint8_t* answer) const {
  layer_->see(*part.state_, first, count, sums, answer);
}

LayerMismatches LayerComparison::finish(std::span<const Part* const> parts) const {
  const Layer& layer = *layer_;
  EvaluationState all(layer.requested.all.size(), layer.most);
  LayerMismatches mismatches;
  for (const Part* const part : parts) {
    const Layer::State& s = *part->state_;
    if (!s.findings) continue;
    for (std::size_t h = 0; h < all.found.size(); ++h) all.found[h].add(s.findings->found[h]);
    for (std::size_t g = 0; g < HypothesisGroups::kGroups; ++g) all.groups[g].add(s.findings->groups[g]);
    mismatches.looked_at += s.looked_at;
    mismatches.summed += s.findings->summed;
    mismatches.wrong_sums.insert(mismatches.wrong_sums.end(), s.wrong.begin(), s.wrong.end());
    mismatches.saturating.insert(mismatches.saturating.end(), s.saturating.begin(), s.saturating.end());
  }
  for (const MismatchCollector& one : all.found) mismatches.hypotheses.push_back(one.sorted());
  for (std::size_t g = 0; g < HypothesisGroups::kGroups; ++g) {
    const Mismatches group = all.groups[g].sorted();
    for (const HypothesisGroups::Entry& entry : layer.requested.groups[g])
      join(mismatches.hypotheses[entry.index], group, layer.most);
  }
  return mismatches;
}

Mismatches compare_literally(const Hypothesis& hypothesis, const ConvProblem& problem,
                             const Tensor<std::uint8_t>& answer) {
  const Answers value = evaluate(hypothesis, problem);
  MismatchCollector found;
  for (std::size_t i = 0; i < answer.values.size(); ++i) {
    found.note(static_cast<std::int64_t>(i), static_cast<std::uint8_t>(value.values[i]), answer.values[i]);
  }
  return found.sorted();
}

}  // namespace tieout
