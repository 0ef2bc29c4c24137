#include "layers/candidate_filter.h"

#include <algorithm>

// How vectors are returned depends on the instruction set. Every function here that returns one is inlined, so the
// warning does not apply.
#pragma GCC diagnostic ignored "-Wpsabi"

namespace tieout {
namespace {

constexpr std::size_t kAtOnce = CandidateMask::kAtOnce;
constexpr std::size_t kLanes = 8;

// Types of g++'s vector extensions, which map to the registers of the target.
using Reals [[gnu::vector_size(kLanes * 8)]] = double;
using Longs [[gnu::vector_size(kLanes * 8)]] = std::int64_t;
using Ints [[gnu::vector_size(kLanes * 4)]] = std::int32_t;

// The fields of up to kAtOnce candidates and of their channels, as columns.
struct Columns {
  using Column = std::array<double, kAtOnce>;
  alignas(64) Column raw, answer, norm, multiplier, bias, near, activations, float_sum, half;
  alignas(64) std::array<Column, HypothesisGroups::kGroups> shift, wide;
  alignas(64) std::array<std::int64_t, kAtOnce> untamed;

  void put(std::size_t i, const Candidate& candidate, const ChannelBounds& b) {
    raw[i] = candidate.raw;
    answer[i] = candidate.answer;
    norm[i] = candidate.norm;
    multiplier[i] = b.multiplier;
    bias[i] = b.bias;
    near[i] = b.near;
    activations[i] = b.activations;
    float_sum[i] = b.float_sum;
    half[i] = b.half;
    untamed[i] = b.bounds_hold ? 0 : -1;
    const auto group = [&](HypothesisGroups::Group g, bool known, double by) {
      shift[g][i] = known ? by : 0;
      wide[g][i] = known ? 0 : ChannelBounds::kUnknownBias * b.multiplier;
    };
    group(HypothesisGroups::kNearest, b.nearest_known, b.nearest);
    group(HypothesisGroups::kTruncated, b.truncated_known, b.truncated);
    group(HypothesisGroups::kTwice, b.nearest_known, b.twice);  // added to the nearest shift, away from 0
  }
};

template <typename Vector, typename T>
[[gnu::always_inline]] inline Vector at(const std::array<T, kAtOnce>& column, std::size_t i) {
  Vector v;
  __builtin_memcpy(&v, column.data() + i, sizeof v);
  return v;
}

[[gnu::always_inline]] inline Reals absolute(Reals v) { return v < 0 ? -v : v; }

struct Values {
  // `value`: the rounded value without the zero point. `margin`: the distance to the nearest tie.
  Reals value, margin;
};

[[gnu::always_inline]] inline Values values_of(Reals scaled, const EvaluationRules& rules) {
  const Reals above = scaled < rules.lowest ? Reals{} + rules.lowest : scaled;
  const Reals inside = above > rules.highest ? Reals{} + rules.highest : above;
  const Reals nearest = __builtin_convertvector(__builtin_convertvector(inside + 256.5, Ints), Reals) - 256;
  return {nearest, 0.5 - absolute(inside - nearest)};
}

// Also true if the bound is NaN: 0 times infinity, which occurs for sums of millions of products.
[[gnu::always_inline]] inline Longs within(Reals margin, Reals reach) { return ~(margin > reach); }

[[gnu::always_inline]] inline void compare(const EvaluationRules& rules, const Columns& columns, std::size_t count,
                                           CandidateMask& left) {
  for (std::size_t i = 0; i < count; i += kLanes) {
    const auto column = [&](const Columns::Column& of) { return at<Reals>(of, i); };
    const Reals bias = column(columns.bias), near = column(columns.near), norm = column(columns.norm);
    const Reals answer = column(columns.answer) - rules.zero_point;
    const Reals scaled = column(columns.raw) * column(columns.multiplier) + bias;
    const auto reach_of = [&](Reals value) { return near + ChannelBounds::kSlope * absolute(value); };
    const Values exact = values_of(scaled, rules);
    const Reals reach = reach_of(scaled);
    Longs everything = at<Longs>(columns.untamed, i) | (exact.value != answer) | within(exact.margin, reach);
    if ((rules.requested & CandidateMask::kEverything) != 0) {
      everything |= within(exact.margin, reach + norm * column(columns.activations));
    }
    Longs bits{};
    if ((rules.requested & CandidateMask::kSum) != 0) {
      const Reals in_sum = norm * column(columns.float_sum) + column(columns.half) * absolute(scaled - bias);
      bits |= within(exact.margin, reach + in_sum) & CandidateMask::kSum;
    }
    for (std::size_t group = 0; group < HypothesisGroups::kGroups; ++group) {
      const unsigned bit = CandidateMask::kDiffers << group;
      if ((rules.requested & bit) == 0) continue;
      Reals shift = column(columns.shift[group]);
      if (group == HypothesisGroups::kTwice) {
        const Reals nearest = column(columns.shift[HypothesisGroups::kNearest]);
        shift = nearest + (scaled + nearest < 0 ? -shift : shift);
      }
      const Values value = values_of(scaled + shift, rules);
      everything |= within(value.margin, reach_of(scaled + shift) + column(columns.wide[group]));
      bits |= (value.value != answer) & bit;
      const Longs with_zero_point = __builtin_convertvector(value.value, Longs) + rules.zero_point;
      __builtin_memcpy(left.value[group].data() + i, &with_zero_point, sizeof with_zero_point);
    }
    bits |= everything & CandidateMask::kEverything;
    __builtin_memcpy(left.bits.data() + i, &bits, sizeof bits);
  }
}

using Compare = void (*)(const EvaluationRules& rules, const Columns& columns, std::size_t count, CandidateMask& left);

void compare_portable(const EvaluationRules& rules, const Columns& columns, std::size_t count, CandidateMask& left) {
  compare(rules, columns, count, left);
}

[[TIEOUT_AVX2]] void compare_avx2(const EvaluationRules& rules, const Columns& columns, std::size_t count,
                                  CandidateMask& left) {
  compare(rules, columns, count, left);
}

[[TIEOUT_AVX512]] void compare_avx512(const EvaluationRules& rules, const Columns& columns, std::size_t count,
                                      CandidateMask& left) {
  compare(rules, columns, count, left);
}

template <Compare kCompare>
void find(const EvaluationRules& rules, std::span<const ChannelBounds> bounds, std::span<const Candidate> candidates,
          CandidateMask& left) {
  Columns columns;
  for (std::size_t i = 0; i < (candidates.size() + kLanes - 1) / kLanes * kLanes; ++i) {
    const Candidate& candidate =
        candidates[std::min(i, candidates.size() - 1)];  // unused lanes repeat the last candidate
    columns.put(i, candidate, bounds[static_cast<std::size_t>(candidate.element.k)]);
  }
  kCompare(rules, columns, candidates.size(), left);
}

}  // namespace

FindLeft find_left(SimdIsa isa) {
  switch (isa) {
    case SimdIsa::portable: return find<compare_portable>;
    case SimdIsa::avx2: return find<compare_avx2>;
    case SimdIsa::avx512:
    case SimdIsa::avx512_vnni: return find<compare_avx512>;
  }
  return find<compare_portable>;
}

}  // namespace tieout
