#include "oracle/compare.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "oracle/judge_lanes.h"
#include "oracle/layer_sums.h"

namespace tieout {
namespace {

using Distance = Hypothesis::Distance;

// Elements come in any order, and which are kept must not depend on it, nor on who works on which part.
void keep_first(Disagreement& found) {
  const auto earlier = [](const auto& a, const auto& b) { return a.offset < b.offset; };
  std::sort(found.first.begin(), found.first.end(), earlier);
  if (found.first.size() > Disagreement::kMost) found.first.resize(Disagreement::kMost);
}

void note(Disagreement& found, std::int64_t offset, std::uint8_t says, std::uint8_t answer) {
  if (says == answer) return;
  ++found.differing;
  found.largest = std::max(found.largest, std::abs(int{says} - int{answer}));
  found.first.push_back({offset, says});
  if (found.first.size() == 2 * Disagreement::kMost) keep_first(found);
}

// Whether a sum of activations can leave int16, where it counts: it is multiplied by a weight zero point.
bool activations_leave_int16(const ConvCase& c) {
  return 255 * reduction_length(c) > 32767 &&
         std::any_of(c.weight_zero_points.begin(), c.weight_zero_points.end(), [](auto z) { return z != 0; });
}

bool between(double v, double low, double high) { return v >= low && v <= high; }

JudgedChannel channel_of(const ConvCase& c, const LayerSums& sums, std::int64_t k) {
  const auto xs = static_cast<float>(c.activation_scale);
  const auto ws = static_cast<float>(weight_scale(c, k));
  const auto os = static_cast<float>(c.output_scale);
  const float unit = xs * ws;
  JudgedChannel channel;
  channel.literal_bias = c.bias.empty() ? 0.0F : c.bias[static_cast<std::size_t>(k)];
  channel.multiplier = unit / os;
  channel.bias = channel.literal_bias / unit;
  constexpr double kSmall = 0x1p-60, kLarge = 0x1p60;
  channel.tame = sums.exact(k) && between(xs, kSmall, kLarge) && between(ws, kSmall, kLarge) &&
                 between(os, kSmall, kLarge) && between(unit, kSmall, kLarge) &&
                 between(channel.multiplier, 0x1p-30, 1.0) && std::fabs(channel.bias) < 0x1p22F &&
                 between(static_cast<double>(c.output_zero_point), 0, 255);
  const float u20 = JudgedChannel::kSlope;
  channel.near = u20 * (2 * std::fabs(channel.bias * channel.multiplier) + static_cast<float>(c.output_zero_point) + 2);
  channel.activations = channel.near + 0x1.1p-24F * static_cast<float>(sums.magnitude(k)) * channel.multiplier;
  channel.whole_bias = channel.near + 2.5F * channel.multiplier;
  return channel;
}

struct Entry {
  const Hypothesis* hypothesis;
  std::size_t index;
};

class Comparison {
 public:
  Comparison(std::span<const Hypothesis* const> hypotheses, const ConvProblem& problem,
             const Tensor<std::uint8_t>& answer, int threads)
      : problem_(problem), c_(problem.spec), answer_(answer), threads_(std::max(threads, 1)), sums_(problem) {
    const bool pairs_decide = !activations_leave_int16(c_);
    for (std::size_t i = 0; i < hypotheses.size(); ++i) {
      const Distance distance = hypotheses[i]->distance;
      all_.push_back({hypotheses[i], i});
      switch (distance) {
        case Distance::roundings: near_.push_back(all_.back()); break;
        case Distance::whole_bias: whole_bias_.push_back(all_.back()); break;
        case Distance::activations: activations_.push_back(all_.back()); break;
        case Distance::float_sum: float_sum_.push_back(all_.back()); break;
        case Distance::pairs: (pairs_decide ? pairs_ : everywhere_).push_back(all_.back()); break;
        case Distance::anywhere: everywhere_.push_back(all_.back()); break;
      }
    }
    for (std::int64_t k = 0; k < c_.out_channels; ++k) channels_.push_back(channel_of(c_, sums_, k));
    const auto oz = static_cast<float>(c_.output_zero_point);
    output_ = {.scale = static_cast<float>(c_.output_scale),
               .zero_point = oz,
               .lowest = c_.relu == Relu::on ? 0.0F : -oz,
               .highest = 255.0F - oz,
               .relu = c_.relu == Relu::on,
               .biased = !c_.bias.empty()};
    parts_.resize(static_cast<std::size_t>(threads_));
    for (Part& part : parts_) part.found.resize(hypotheses.size());
  }

  std::vector<Disagreement> run() {
    const Judge judge = best_judge();
    sums_.visit(threads_, [&](std::size_t part, const SumLanes& lanes) { see(parts_[part], lanes, judge); });
    std::vector<Disagreement> sums(all_.size());
    for (const Part& part : parts_) {
      for (std::size_t h = 0; h < sums.size(); ++h) {
        sums[h].differing += part.found[h].differing;
        sums[h].largest = std::max(sums[h].largest, part.found[h].largest);
        sums[h].first.insert(sums[h].first.end(), part.found[h].first.begin(), part.found[h].first.end());
      }
    }
    for (Disagreement& sum : sums) keep_first(sum);
    return sums;
  }

 private:
  struct Part {
    std::vector<Disagreement> found;
    Window window;  // with its elements
    Window sums;    // without
    Judged judged;
  };

  void see(Part& part, const SumLanes& lanes, Judge judge) const {
    const JudgedChannel& channel = channels_[static_cast<std::size_t>(lanes.k)];
    const std::uint8_t* const answer = answer_.values.data() + lanes.offset;
    const auto count = static_cast<std::size_t>(lanes.count);
    if (!channel.tame) {
      for (std::size_t p = 0; p < count; ++p) literally(part, all_, lanes.offset + static_cast<std::int64_t>(p));
      return;
    }
    if (!everywhere_.empty()) {
      for (std::size_t p = 0; p < count; ++p) literally(part, everywhere_, lanes.offset + static_cast<std::int64_t>(p));
    }
    // Most lanes are far from every tie, and what the operator answered: then everybody near says so, too.
    const float widest = whole_bias_.empty() ? channel.activations : std::max(channel.activations, channel.whole_bias);
    judge(lanes, channel, output_, widest, answer, part.judged);
    if (part.judged.plain && (lanes.saturating == 0 || pairs_.empty())) return;
    for (std::size_t p = 0; p < count; ++p) look(part, lanes, p, channel, answer[p]);
  }

  void look(Part& part, const SumLanes& lanes, std::size_t p, const JudgedChannel& channel, std::uint8_t answer) const {
    const std::int64_t offset = lanes.offset + static_cast<std::int64_t>(p);
    const Judged& judged = part.judged;
    for (const Entry& entry : float_sum_) {
      note(part.found[entry.index], offset, static_cast<std::uint8_t>(judged.float_sum[p]), answer);
    }
    const auto exact = static_cast<std::uint8_t>(judged.exact[p]);
    const float margin = judged.margin[p];
    const auto agree = [&](const std::vector<Entry>& entries) {
      for (const Entry& entry : entries) note(part.found[entry.index], offset, exact, answer);
    };
    if (margin >= channel.activations) {
      agree(activations_);
    } else {
      literally(part, activations_, offset);
    }
    const bool near = margin < channel.near;
    const bool whole_bias = margin < channel.whole_bias;
    if (near || whole_bias) describe(part.sums, lanes, p);
    if (near) {
      by_sums(part, near_, offset, answer);
    } else {
      agree(near_);
    }
    if (near || (lanes.saturating >> p & 1U) != 0) {
      literally(part, pairs_, offset);
    } else {
      agree(pairs_);
    }
    if (whole_bias) {
      by_sums(part, whole_bias_, offset, answer);
    } else {
      agree(whole_bias_);
    }
  }

  // A window that holds sums only: all that the hypotheses concerned look at. The sum of activations is left out together
  // with what it would be multiplied by, so that exact_sum() is the same.
  void describe(Window& window, const SumLanes& lanes, std::size_t p) const {
    const auto length = static_cast<std::size_t>(reduction_length(c_));
    if (window.x.size() != length) window.x.resize(length);
    window.spec = &c_;
    window.xs = c_.activation_scale;
    window.ws = weight_scale(c_, lanes.k);
    window.os = c_.output_scale;
    window.xz = window.wz = 0;
    window.oz = c_.output_zero_point;
    window.bias = c_.bias.empty() ? std::optional<float>{} : c_.bias[static_cast<std::size_t>(lanes.k)];
    window.relu = c_.relu;
    window.granularity = c_.granularity;
    window.group_channels = c_.in_channels / c_.groups;
    window.activations = window.weights = 0;
    window.products = lanes.exact[p];
  }

  void by_sums(Part& part, const std::vector<Entry>& entries, std::int64_t offset, std::uint8_t answer) const {
    for (const Entry& entry : entries) {
      note(part.found[entry.index], offset, entry.hypothesis->evaluate(part.sums, nullptr), answer);
    }
  }

  void literally(Part& part, const std::vector<Entry>& entries, std::int64_t offset) const {
    if (entries.empty()) return;
    gather(problem_, offset, part.window);
    const std::uint8_t answer = answer_.values[static_cast<std::size_t>(offset)];
    for (const Entry& entry : entries) {
      note(part.found[entry.index], offset, entry.hypothesis->evaluate(part.window, nullptr), answer);
    }
  }

  const ConvProblem& problem_;
  const ConvCase& c_;
  const Tensor<std::uint8_t>& answer_;
  int threads_;
  LayerSums sums_;
  Output output_;
  std::vector<JudgedChannel> channels_;
  std::vector<Entry> all_, near_, whole_bias_, pairs_, activations_, float_sum_, everywhere_;
  std::vector<Part> parts_;
};

}  // namespace

std::vector<Disagreement> compare(std::span<const Hypothesis* const> hypotheses, const ConvProblem& problem,
                                  const Tensor<std::uint8_t>& answer, int threads) {
  return Comparison(hypotheses, problem, answer, threads).run();
}

Disagreement compare_literally(const Hypothesis& hypothesis, const ConvProblem& problem,
                               const Tensor<std::uint8_t>& answer) {
  const Tensor<std::uint8_t> says = evaluate(hypothesis, problem);
  Disagreement found;
  for (std::size_t i = 0; i < answer.values.size(); ++i) {
    note(found, static_cast<std::int64_t>(i), says.values[i], answer.values[i]);
  }
  keep_first(found);
  return found;
}

}  // namespace tieout
