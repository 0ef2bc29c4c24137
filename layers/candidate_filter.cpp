#include "layers/candidate_filter.h"

#include <algorithm>

// How vectors are returned depends on the instruction set. Every function here that returns one is inlined, so the
// warning does not apply.
#pragma GCC diagnostic ignored "-Wpsabi"

namespace tieout {
namespace {

constexpr std::size_t kAtOnce = SuspectsLeft::kAtOnce;
constexpr std::size_t kLanes = 8;

// Types of g++'s vector extensions, which map to the registers of the target.
using Reals [[gnu::vector_size(kLanes * 8)]] = double;
using Longs [[gnu::vector_size(kLanes * 8)]] = std::int64_t;
using Ints [[gnu::vector_size(kLanes * 4)]] = std::int32_t;

// The fields of up to kAtOnce suspects and of their channels, as columns.
struct Columns {
  using Column = std::array<double, kAtOnce>;
  alignas(64) Column raw, answer, norm, multiplier, bias, near, activations, float_sum, half;
  alignas(64) std::array<Column, Asked::kGroups> shift, wide;
  alignas(64) std::array<std::int64_t, kAtOnce> untamed;

  void put(std::size_t i, const Suspect& suspect, const ChannelBounds& b) {
    raw[i] = suspect.raw;
    answer[i] = suspect.answer;
    norm[i] = suspect.norm;
    multiplier[i] = b.multiplier;
    bias[i] = b.bias;
    near[i] = b.near;
    activations[i] = b.activations;
    float_sum[i] = b.float_sum;
    half[i] = b.half;
    untamed[i] = b.tame ? 0 : -1;
    const auto group = [&](Asked::Group g, bool known, double by) {
      shift[g][i] = known ? by : 0;
      wide[g][i] = known ? 0 : ChannelBounds::kUnknownBias * b.multiplier;
    };
    group(Asked::kNearest, b.nearest_known, b.nearest);
    group(Asked::kTruncated, b.truncated_known, b.truncated);
    group(Asked::kTwice, b.nearest_known, b.twice);  // added to the nearest shift, away from 0
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
  // `says`: the rounded value without the zero point. `margin`: the distance to the nearest tie.
  Reals says, margin;
};

[[gnu::always_inline]] inline Values values_of(Reals scaled, const JudgeRules& rules) {
  const Reals above = scaled < rules.lowest ? Reals{} + rules.lowest : scaled;
  const Reals inside = above > rules.highest ? Reals{} + rules.highest : above;
  const Reals nearest = __builtin_convertvector(__builtin_convertvector(inside + 256.5, Ints), Reals) - 256;
  return {nearest, 0.5 - absolute(inside - nearest)};
}

// Also true if the bound is NaN: 0 times infinity, which occurs for sums of millions of products.
[[gnu::always_inline]] inline Longs within(Reals margin, Reals reach) { return ~(margin > reach); }

[[gnu::always_inline]] inline void compare(const JudgeRules& rules, const Columns& columns, std::size_t count,
                                           SuspectsLeft& left) {
  for (std::size_t i = 0; i < count; i += kLanes) {
    const auto column = [&](const Columns::Column& of) { return at<Reals>(of, i); };
    const Reals bias = column(columns.bias), near = column(columns.near), norm = column(columns.norm);
    const Reals answer = column(columns.answer) - rules.zero_point;
    const Reals scaled = column(columns.raw) * column(columns.multiplier) + bias;
    const auto reach_of = [&](Reals value) { return near + ChannelBounds::kSlope * absolute(value); };
    const Values exact = values_of(scaled, rules);
    const Reals reach = reach_of(scaled);
    Longs everything = at<Longs>(columns.untamed, i) | (exact.says != answer) | within(exact.margin, reach);
    if ((rules.asked & SuspectsLeft::kEverything) != 0) {
      everything |= within(exact.margin, reach + norm * column(columns.activations));
    }
    Longs bits{};
    if ((rules.asked & SuspectsLeft::kSum) != 0) {
      const Reals in_sum = norm * column(columns.float_sum) + column(columns.half) * absolute(scaled - bias);
      bits |= within(exact.margin, reach + in_sum) & SuspectsLeft::kSum;
    }
    for (std::size_t group = 0; group < Asked::kGroups; ++group) {
      const unsigned bit = SuspectsLeft::kDiffers << group;
      if ((rules.asked & bit) == 0) continue;
      Reals shift = column(columns.shift[group]);
      if (group == Asked::kTwice) {
        const Reals nearest = column(columns.shift[Asked::kNearest]);
        shift = nearest + (scaled + nearest < 0 ? -shift : shift);
      }
      const Values value = values_of(scaled + shift, rules);
      everything |= within(value.margin, reach_of(scaled + shift) + column(columns.wide[group]));
      bits |= (value.says != answer) & bit;
      const Longs says = __builtin_convertvector(value.says, Longs) + rules.zero_point;
      __builtin_memcpy(left.says[group].data() + i, &says, sizeof says);
    }
    bits |= everything & SuspectsLeft::kEverything;
    __builtin_memcpy(left.bits.data() + i, &bits, sizeof bits);
  }
}

using Compare = void (*)(const JudgeRules& rules, const Columns& columns, std::size_t count, SuspectsLeft& left);

void compare_portable(const JudgeRules& rules, const Columns& columns, std::size_t count, SuspectsLeft& left) {
  compare(rules, columns, count, left);
}

[[gnu::target("avx2")]] void compare_avx2(const JudgeRules& rules, const Columns& columns, std::size_t count,
                                          SuspectsLeft& left) {
  compare(rules, columns, count, left);
}

[[gnu::target("avx512f,avx512bw,avx512dq,avx512vl")]] void compare_avx512(const JudgeRules& rules,
                                                                          const Columns& columns, std::size_t count,
                                                                          SuspectsLeft& left) {
  compare(rules, columns, count, left);
}

template <Compare kCompare>
void find(const JudgeRules& rules, std::span<const ChannelBounds> bounds, std::span<const Suspect> suspects,
          SuspectsLeft& left) {
  Columns columns;
  for (std::size_t i = 0; i < (suspects.size() + kLanes - 1) / kLanes * kLanes; ++i) {
    const Suspect& suspect = suspects[std::min(i, suspects.size() - 1)];  // unused lanes repeat the last suspect
    columns.put(i, suspect, bounds[static_cast<std::size_t>(suspect.element.k)]);
  }
  kCompare(rules, columns, suspects.size(), left);
}

}  // namespace

FindLeft find_left(VectorIsa isa) {
  switch (isa) {
    case VectorIsa::portable: return find<compare_portable>;
    case VectorIsa::avx2: return find<compare_avx2>;
    case VectorIsa::avx512:
    case VectorIsa::avx512_vnni: return find<compare_avx512>;
  }
  return find<compare_portable>;
}

}  // namespace tieout
