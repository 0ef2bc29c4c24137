#include "layers/near_tie_filter.h"

#include <immintrin.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace tieout {
namespace {

constexpr std::int64_t kLanes = 16;

// The lowest and highest shift of s at which a requested hypothesis rounds.
struct Shifts {
  double lowest = 0, highest = 0;

  void add(double shift) {
    lowest = std::min(lowest, shift);
    highest = std::max(highest, shift);
  }
};

Shifts shifts_of(const ChannelBounds& b, const RequiredBounds& requested, bool negative) {
  Shifts shifts;
  const bool any_nearest = requested.nearest_bias || requested.twice_rounded;
  if ((any_nearest && !b.nearest_known) || (requested.truncated_bias && !b.truncated_known)) {
    shifts.add(ChannelBounds::kUnknownBias * b.multiplier);
    shifts.add(-ChannelBounds::kUnknownBias * b.multiplier);
  }
  if (requested.nearest_bias) shifts.add(b.nearest);
  if (requested.truncated_bias) shifts.add(b.truncated);
  if (requested.twice_rounded) shifts.add(b.nearest + b.twice);
  if (requested.twice_rounded && negative) shifts.add(b.nearest - b.twice);
  return shifts;
}

// Handles the elements begin..end of one period one by one. place: the index of `begin` in the period.
std::int64_t one_by_one(const NearTieTable& t, const std::int32_t* raw, const std::uint8_t* answer, std::int64_t begin,
                        std::int64_t end, std::int64_t place, float norm, std::uint32_t* candidates) {
  std::int64_t found = 0;
  for (std::int64_t i = begin; i < end; ++i) {
    const NearTieTable::Sixteen& block = t.constants[static_cast<std::size_t>((place + i - begin) / kLanes)];
    const auto j = static_cast<std::size_t>((place + i - begin) % kLanes);
    const float scaled = static_cast<float>(raw[i]) * block.multiplier[j];
    const float inside = std::min(std::max(scaled + block.centre[j], t.lowest), t.highest);
    const float apart = std::fabs(inside - static_cast<float>(answer[i]));
    if (!(apart <= block.limit[j] - norm * block.per_norm[j] - std::fabs(scaled) * t.half))
      candidates[found++] = static_cast<std::uint32_t>(i);
  }
  return found;
}

std::int64_t find_portable(const NearTieTable& t, const std::int32_t* raw, const std::uint8_t* answer,
                           std::int64_t count, const float* norms, std::uint32_t* candidates) {
  std::int64_t found = 0;
  for (std::int64_t begin = 0; begin < count; begin += t.period) {
    const std::int64_t end = std::min(begin + t.period, count);
    found += one_by_one(t, raw, answer, begin, end, 0, *norms++, candidates + found);
  }
  return found;
}

// Collects bit masks of the candidates among 64 elements without a branch, which would be unpredictable, and writes the
// indices of several masks together.
class Words {
 public:
  explicit Words(std::uint32_t* candidates) : candidates_(candidates) {}

  void put(std::uint64_t others, std::int64_t first) {
    words_[full_] = others;
    places_[full_] = first;
    full_ += others != 0 ? 1 : 0;
    if (full_ == kAtOnce) look();
  }

  // Writes the indices of all collected masks. Afterwards, more indices may be written at end().
  void look() {
    for (std::size_t w = 0; w < full_; ++w) {
      for (std::uint64_t others = words_[w]; others != 0; others &= others - 1) {
        candidates_[found_++] = static_cast<std::uint32_t>(places_[w] + __builtin_ctzll(others));
      }
    }
    full_ = 0;
  }

  [[nodiscard]] std::uint32_t* end() { return candidates_ + found_; }
  void add(std::int64_t count) { found_ += count; }
  [[nodiscard]] std::int64_t found() const { return found_; }

 private:
  static constexpr std::size_t kAtOnce = 32;
  std::uint32_t* candidates_;
  std::array<std::uint64_t, kAtOnce> words_;
  std::array<std::int64_t, kAtOnce> places_;
  std::size_t full_ = 0;
  std::int64_t found_ = 0;
};

struct OfAll {
  __m256 lowest, highest, half;
};

// Returns a bit for each of eight elements, set for a candidate.
[[TIEOUT_AVX2, gnu::always_inline]] inline std::uint64_t eight(const NearTieTable::Sixteen& constants, std::size_t from,
                                                               const std::int32_t* raw, const std::uint8_t* answer,
                                                               const OfAll& all, __m256 norm) {
  const __m256i sums = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(raw));
  const __m256 scaled = _mm256_cvtepi32_ps(sums) * _mm256_load_ps(constants.multiplier.data() + from);
  const __m256 value = scaled + _mm256_load_ps(constants.centre.data() + from);
  const __m256 inside = _mm256_min_ps(_mm256_max_ps(value, all.lowest), all.highest);
  const __m256i bytes = _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(answer)));
  const __m256 sign = _mm256_set1_ps(-0.0F);
  const __m256 beside = _mm256_fnmadd_ps(_mm256_load_ps(constants.per_norm.data() + from), norm,
                                         _mm256_load_ps(constants.limit.data() + from));
  const __m256 allowed = _mm256_fnmadd_ps(_mm256_andnot_ps(sign, scaled), all.half, beside);
  const __m256 apart = _mm256_andnot_ps(sign, inside - _mm256_cvtepi32_ps(bytes));
  return static_cast<std::uint64_t>(_mm256_movemask_ps(_mm256_cmp_ps(apart, allowed, _CMP_NLE_UQ)));
}

[[TIEOUT_AVX2]] std::int64_t find_avx2(const NearTieTable& t, const std::int32_t* raw, const std::uint8_t* answer,
                                       std::int64_t count, const float* norms, std::uint32_t* candidates) {
  const OfAll all{_mm256_set1_ps(t.lowest), _mm256_set1_ps(t.highest), _mm256_set1_ps(t.half)};
  Words words(candidates);
  for (std::int64_t begin = 0, block = 0; begin < count; begin += t.period, ++block) {
    const std::int64_t end = std::min(begin + t.period, count);
    const __m256 norm = _mm256_set1_ps(norms[block]);
    const NearTieTable::Sixteen* constants = t.constants.data();
    std::int64_t i = begin;
    while (i + kLanes <= end) {
      const std::int64_t first = i;
      std::uint64_t others = 0;
      for (int v = 0; v < 64 && i + kLanes <= end; v += kLanes, i += kLanes, ++constants) {
        others |= eight(*constants, 0, raw + i, answer + i, all, norm) << v |
                  eight(*constants, 8, raw + i + 8, answer + i + 8, all, norm) << (v + 8);
      }
      words.put(others, first);
    }
    if (i == end) continue;
    words.look();
    words.add(one_by_one(t, raw, answer, i, end, i - begin, norms[block], words.end()));
  }
  words.look();
  return words.found();
}

}  // namespace

NearTieTable near_tie_table(const ConvCase& c, std::span<const ChannelBounds> bounds, const RequiredBounds& required) {
  constexpr std::int64_t kWorthALoop = 256;  // elements
  NearTieTable t;
  const auto oz = static_cast<double>(c.output_zero_point);
  t.lowest = c.relu == Relu::on ? static_cast<float>(oz) : 0.0F;
  const std::int64_t shortest = std::lcm(c.out_channels, kLanes);
  t.half = required.float_sum && !bounds.empty() ? static_cast<float>(bounds.front().half) : 0;
  t.period = shortest * std::max<std::int64_t>(1, kWorthALoop / shortest);
  t.constants.resize(static_cast<std::size_t>(t.period / kLanes));
  for (std::int64_t i = 0; i < t.period; ++i) {
    const ChannelBounds& b = bounds[static_cast<std::size_t>(i % c.out_channels)];
    const Shifts shifts = shifts_of(b, required, t.lowest < static_cast<float>(oz));
    const double beside = b.near + 257 * ChannelBounds::kSlope + (shifts.highest - shifts.lowest) / 2;
    NearTieTable::Sixteen& block = t.constants[static_cast<std::size_t>(i / kLanes)];
    const auto lane = static_cast<std::size_t>(i % kLanes);
    block.multiplier[lane] = static_cast<float>(b.multiplier);
    block.centre[lane] = static_cast<float>(b.bias + oz + (shifts.highest + shifts.lowest) / 2);
    block.limit[lane] = b.bounds_hold ? static_cast<float>(0.5 - beside) : -1.0F;
    block.per_norm[lane] =
        static_cast<float>(std::max(required.float_sum ? b.float_sum : 0, required.activations ? b.activations : 0));
  }
  return t;
}

FindCandidates find_candidates(SimdIsa isa) { return isa == SimdIsa::portable ? find_portable : find_avx2; }

}  // namespace tieout
