#include "oracle/compare.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <iterator>
#include <optional>

#include "oracle/dequantized.h"
#include "oracle/literal_sums.h"
#include "oracle/sum_proof.h"
#include "oracle/suspects.h"

namespace tieout {
namespace {

using Distance = Hypothesis::Distance;

// Which of the layer's elements nobody asks for: any number will do, but the same one at every run.
constexpr std::uint64_t kProofSeed = 0x7469656f7574;

// Whether a sum of activations can leave int16, where it counts: it is multiplied by a weight zero point.
bool activations_leave_int16(const ConvCase& c) {
  return 255 * reduction_length(c) > 32767 &&
         std::any_of(c.weight_zero_points.begin(), c.weight_zero_points.end(), [](auto z) { return z != 0; });
}

struct Entry {
  const Hypothesis* hypothesis;
  std::size_t index;
};
using Entries = std::vector<Entry>;

// What a hypothesis differs by alone, and what it differs by as all of its group do.
void join(Disagreement& alone, const Disagreement& group) {
  alone.differing += group.differing;
  alone.largest = std::max(alone.largest, group.largest);
  std::vector<Disagreement::Element> both;
  both.reserve(alone.first.size() + group.first.size());
  std::merge(alone.first.begin(), alone.first.end(), group.first.begin(), group.first.end(), std::back_inserter(both),
             [](const auto& a, const auto& b) { return a.offset < b.offset; });
  if (both.size() > Disagreement::kMost) both.resize(Disagreement::kMost);
  alone.first = std::move(both);
}

// The exact value of another s: hypotheses whose bias is a whole number of units of raw.
struct Shifted {
  Entries entries;
  std::size_t group = 0;  // of State::groups
};
constexpr std::size_t kGroups = 3;

struct Value {
  std::uint8_t says = 0;  // where it is not near a tie
  double margin = 0;      // to the nearest tie, in output steps
};

}  // namespace

struct LayerComparison::Part::State {
  std::vector<Differences> found;
  std::array<Differences, kGroups> groups;  // what all of a group have in common
  std::vector<OutputElement> wrong, saturating, in_float32, in_float64;
  std::int64_t looked_at = 0, summed = 0;
  std::vector<std::uint8_t> room, marks;
  std::vector<std::uint32_t> suspects;
  std::vector<float> norms, floats;
  std::vector<double> doubles;
  Window window;  // with its elements
  Window sums;    // without
};

LayerComparison::Part::Part() : state_(std::make_unique<State>()) {}
LayerComparison::Part::~Part() = default;
LayerComparison::Part::Part(Part&&) noexcept = default;
LayerComparison::Part& LayerComparison::Part::operator=(Part&&) noexcept = default;

struct LayerComparison::Layer {
  using State = Part::State;

  Layer(std::span<const Hypothesis* const> hypotheses, const LayerView& view, VectorIsa isa)
      : layer(view),
        c(*view.spec),
        range(range_of(view)),
        extremes(pair_extremes(view, range.highest)),
        bounds(channel_bounds(view, range)),
        windows(view),
        lanes(proof_lanes(isa)),
        find(find_suspects(isa)),
        proof(view, bounds, kProofSeed, isa),
        float32(view, isa),
        float64(view, isa) {
    if (extremes.leave_int16(range.highest)) pairs.emplace(view, range);
    const bool pairs_decide = !activations_leave_int16(c);
    for (std::size_t i = 0; i < hypotheses.size(); ++i) {
      const Entry entry{hypotheses[i], i};
      all.push_back(entry);
      switch (hypotheses[i]->distance) {
        case Distance::roundings: near.push_back(entry); break;
        case Distance::nearest_bias: nearest.entries.push_back(entry); break;
        case Distance::truncated_bias: truncated.entries.push_back(entry); break;
        case Distance::twice_rounded: twice.entries.push_back(entry); break;
        case Distance::activations: activations.push_back(entry); break;
        case Distance::float_sum: float_sum.push_back(entry); break;
        case Distance::pairs: (pairs_decide ? by_pairs : everywhere).push_back(entry); break;
        case Distance::anywhere: everywhere.push_back(entry); break;
      }
    }
    table = suspect_table(c, bounds,
                          {.exact = true,
                           .activations = !activations.empty(),
                           .float_sum = !float_sum.empty(),
                           .nearest_bias = !nearest.entries.empty(),
                           .truncated_bias = !truncated.entries.empty(),
                           .twice_rounded = !twice.entries.empty()});
    const auto oz = static_cast<double>(c.output_zero_point);
    channels = static_cast<std::uint32_t>(c.out_channels);
    plane = volume(output_size(c));
    lowest = c.relu == Relu::on ? 0 : -oz;
    highest = 255 - oz;
    const auto xz = static_cast<int>(c.activation_zero_point);
    const double largest = std::max(std::abs(range.lowest - xz), std::abs(range.highest - xz));
    widest_norm = std::sqrt(static_cast<double>(windows.length())) * largest * kUpward;
  }

  void see(State& s, std::int64_t first, std::int64_t count, std::int32_t* sums, const std::uint8_t* answer) const {
    s.found.resize(all.size());
    proof.mend(first, count, sums, s.room, s.wrong);
    const std::int64_t elements = count * c.out_channels;
    s.marks.clear();
    if (pairs) mark_pairs(s, first, count, answer);
    if (!everywhere.empty()) {
      for (std::int64_t i = 0; i < elements; ++i) {
        if (bounds[static_cast<std::size_t>(i % c.out_channels)].tame) literally(s, everywhere, at(first, static_cast<std::uint32_t>(i)), answer[i]);
      }
    }
    if (all.size() == everywhere.size() + by_pairs.size() && by_pairs.empty() && all_tame()) return;
    measure(s, first, count);
    s.suspects.resize(static_cast<std::size_t>(elements));
    const std::int64_t found = find(table, sums, answer, elements, s.norms.data(), s.suspects.data());
    s.looked_at += found;
    for (std::int64_t i = 0; i < found; ++i) {
      const std::uint32_t place = s.suspects[static_cast<std::size_t>(i)];
      const bool saturates = !s.marks.empty() && s.marks[place] != 0;
      look(s, at(first, place), sums[place], answer[place], s.norms[place / static_cast<std::size_t>(table.period)],
           saturates);
    }
    finish_sums(s, first, answer);
  }

  [[nodiscard]] LayerOpinion finish(std::span<const Part> parts) const {
    std::vector<Differences> found(all.size());
    std::array<Differences, kGroups> in_groups;
    LayerOpinion opinion;
    for (const Part& part : parts) {
      const State& s = *part.state_;
      for (std::size_t h = 0; h < s.found.size(); ++h) found[h].add(s.found[h]);
      for (std::size_t g = 0; g < kGroups; ++g) in_groups[g].add(s.groups[g]);
      opinion.looked_at += s.looked_at;
      opinion.summed += s.summed;
      opinion.wrong_sums.insert(opinion.wrong_sums.end(), s.wrong.begin(), s.wrong.end());
      opinion.saturating.insert(opinion.saturating.end(), s.saturating.begin(), s.saturating.end());
    }
    for (const Differences& one : found) opinion.hypotheses.push_back(one.sorted());
    for (const Shifted* shifted : {&nearest, &truncated, &twice}) {
      const Disagreement group = in_groups[shifted->group].sorted();
      for (const Entry& entry : shifted->entries) join(opinion.hypotheses[entry.index], group);
    }
    return opinion;
  }

  [[nodiscard]] OutputElement at(std::int64_t first, std::uint32_t place) const {
    return {first + place / channels, place % channels};
  }

  [[nodiscard]] std::int64_t offset(const OutputElement& element) const {
    const std::int64_t image = element.position / plane;
    return (image * c.out_channels + element.k - image) * plane + element.position;
  }

  [[nodiscard]] bool all_tame() const {
    return std::all_of(bounds.begin(), bounds.end(), [](const ChannelBounds& b) { return b.tame; });
  }

  // Saturating pairs decide for some, wherever the value lies.
  void mark_pairs(State& s, std::int64_t first, std::int64_t count, const std::uint8_t* answer) const {
    const std::size_t before = s.saturating.size();
    pairs->find(first, count, s.saturating);
    if (s.saturating.size() == before || by_pairs.empty()) return;
    s.marks.assign(static_cast<std::size_t>(count * c.out_channels), 0);
    for (std::size_t i = before; i < s.saturating.size(); ++i) {
      const OutputElement element = s.saturating[i];
      const auto place = static_cast<std::size_t>((element.position - first) * c.out_channels + element.k);
      s.marks[place] = 1;
      if (bounds[static_cast<std::size_t>(element.k)].tame) literally(s, by_pairs, element, answer[place]);
    }
  }

  // |x|, at least, of the windows of each period of the table.
  void measure(State& s, std::int64_t first, std::int64_t count) const {
    const std::int64_t positions = table.period / c.out_channels;
    s.norms.assign(static_cast<std::size_t>((count + positions - 1) / positions), static_cast<float>(widest_norm));
    constexpr std::int64_t kWorthIt = 16;  // below, bounds are narrow by themselves
    if (c.groups > 1 || c.in_channels < kWorthIt || (activations.empty() && float_sum.empty())) return;
    std::fill(s.norms.begin(), s.norms.end(), 0.0F);
    const Spatial out = output_size(c);
    OutputPlace place(first, out);
    for (std::int64_t p = 0; p < count; ++p, place.advance(out)) {
      const std::uint64_t squares = lanes.squares(windows.at(place, 0, s.room), windows.length(),
                                                  static_cast<std::int32_t>(c.activation_zero_point));
      float& norm = s.norms[static_cast<std::size_t>(p / positions)];
      norm = std::max(norm, static_cast<float>(std::sqrt(static_cast<double>(squares)) * kUpward));
    }
  }

  [[nodiscard]] Value value_of(double s) const {
    const double inside = std::clamp(s, lowest, highest);
    const double nearest_one = std::floor(inside + 0.5);
    return {static_cast<std::uint8_t>(nearest_one + static_cast<double>(c.output_zero_point)),
            0.5 - std::fabs(inside - nearest_one)};
  }

  void look(State& s, const OutputElement& element, std::int32_t raw, std::uint8_t answer, float norm,
            bool saturates) const {
    const ChannelBounds& b = bounds[static_cast<std::size_t>(element.k)];
    if (!b.tame) {
      literally(s, all, element, answer);
      return;
    }
    const double scaled = raw * b.multiplier + b.bias;
    const Value exact = value_of(scaled);
    const double reach = b.near + ChannelBounds::kSlope * std::fabs(scaled);
    bool described = false;
    const auto by_sums = [&](const Entries& entries) {
      if (!described) describe_sums(s.sums, element.k, raw);
      described = true;
      for (const Entry& entry : entries) {
        s.found[entry.index].note(offset(element), entry.hypothesis->evaluate(s.sums, nullptr), answer);
      }
    };
    const auto agree = [&](const Entries& entries) {
      if (exact.says == answer) return;
      for (const Entry& entry : entries) s.found[entry.index].note(offset(element), exact.says, answer);
    };
    if (exact.margin <= reach) {
      by_sums(near);
      if (!saturates) literally(s, by_pairs, element, answer);
    } else {
      agree(near);
      if (!saturates) agree(by_pairs);
    }
    if (exact.margin <= reach + static_cast<double>(norm) * b.activations) {
      if (!activations.empty()) s.in_float64.push_back(element);
    } else {
      agree(activations);
    }
    if (exact.margin <= reach + static_cast<double>(norm) * b.float_sum) {
      if (!float_sum.empty()) s.in_float32.push_back(element);
    } else {
      agree(float_sum);
    }
    const auto whole_bias = [&](const Shifted& shifted, bool known, double shift) {
      if (shifted.entries.empty()) return;
      const Value value = known ? value_of(scaled + shift) : exact;
      const double wide = known ? 0 : ChannelBounds::kUnknownBias * b.multiplier;
      if (value.margin <= b.near + ChannelBounds::kSlope * std::fabs(scaled + shift) + wide) {
        by_sums(shifted.entries);
      } else if (value.says != answer) {
        s.groups[shifted.group].note(offset(element), value.says, answer);
      }
    };
    whole_bias(nearest, b.nearest_known, b.nearest);
    whole_bias(truncated, b.truncated_known, b.truncated);
    whole_bias(twice, b.nearest_known, b.nearest + (scaled + b.nearest < 0 ? -b.twice : b.twice));
  }

  // A window that holds sums only: all that the hypotheses concerned look at. The sum of activations is left out together
  // with what it would be multiplied by, so that exact_sum() is the same.
  void describe_sums(Window& window, std::int64_t k, std::int32_t raw) const {
    const auto length = static_cast<std::size_t>(windows.length());
    if (window.x.size() != length) window.x.resize(length);
    describe(c, k, window);
    window.xz = window.wz = 0;
    window.activations = window.weights = 0;
    window.products = raw;
  }

  void literally(State& s, const Entries& entries, const OutputElement& element, std::uint8_t answer) const {
    if (entries.empty()) return;
    gather(layer, element, s.window);
    for (const Entry& entry : entries) {
      s.found[entry.index].note(offset(element), entry.hypothesis->evaluate(s.window, nullptr), answer);
    }
  }

  void finish_sums(State& s, std::int64_t first, const std::uint8_t* answer) const {
    const auto finish_with = [&](const auto& sums, auto& room, std::vector<OutputElement>& elements,
                                 const Entries& entries, auto finished) {
      sums.visit(elements, room, s.room, [&](std::size_t i, auto sum) {
        const OutputElement& element = elements[i];
        describe(c, element.k, s.sums);
        const std::uint8_t says = finished(sum, s.sums, nullptr);
        const std::uint8_t expected = answer[(element.position - first) * c.out_channels + element.k];
        for (const Entry& entry : entries) s.found[entry.index].note(offset(element), says, expected);
      });
      s.summed += static_cast<std::int64_t>(elements.size());
      elements.clear();
    };
    using InFloat64 = std::uint8_t (*)(double, const Window&, Trace*);
    using InFloat32 = std::uint8_t (*)(float, const Window&, Trace*);
    finish_with(float64, s.doubles, s.in_float64, activations, InFloat64{manual_output_1});
    finish_with(float32, s.floats, s.in_float32, float_sum, InFloat32{manual_output_2});
  }

  static constexpr double kUpward = 1 + 0x1p-20;

  LayerView layer;
  const ConvCase& c;
  ActivationRange range;
  PairExtremes extremes;
  std::vector<ChannelBounds> bounds;
  LayerWindows windows;
  ProofLanes lanes;
  FindSuspects find;
  SumProof proof;
  LiteralSums<float> float32;
  LiteralSums<double> float64;
  SuspectTable table;
  std::uint32_t channels = 1;        // of the output
  std::int64_t plane = 1;            // of one of them
  double lowest = 0, highest = 255;  // of what is rounded: the zero point is added afterwards
  double widest_norm = 0;
  std::optional<SaturatingPairs> pairs;  // where there can be any
  Entries all, near, by_pairs, activations, float_sum, everywhere;
  Shifted nearest{{}, 0}, truncated{{}, 1}, twice{{}, 2};
};

LayerComparison::LayerComparison(std::span<const Hypothesis* const> hypotheses, const LayerView& layer, VectorIsa isa)
    : layer_(std::make_unique<const Layer>(hypotheses, layer, isa)) {}
LayerComparison::~LayerComparison() = default;

const ActivationRange& LayerComparison::range() const { return layer_->range; }
const PairExtremes& LayerComparison::extremes() const { return layer_->extremes; }

void LayerComparison::see(Part& part, std::int64_t first, std::int64_t count, std::int32_t* sums,
                          const std::uint8_t* answer) const {
  layer_->see(*part.state_, first, count, sums, answer);
}

LayerOpinion LayerComparison::finish(std::span<const Part> parts) const { return layer_->finish(parts); }

Disagreement compare_literally(const Hypothesis& hypothesis, const ConvProblem& problem,
                               const Tensor<std::uint8_t>& answer) {
  const Tensor<std::uint8_t> says = evaluate(hypothesis, problem);
  Differences found;
  for (std::size_t i = 0; i < answer.values.size(); ++i) {
    found.note(static_cast<std::int64_t>(i), says.values[i], answer.values[i]);
  }
  return found.sorted();
}

}  // namespace tieout
