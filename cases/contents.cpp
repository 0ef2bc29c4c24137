#include "cases/contents.h"

#include <array>
#include <span>
#include <tuple>
#include <utility>

#include "cases/byte_contents.h"
#include "cases/machine/cpu.h"
#include "cases/random.h"

namespace tieout {
namespace {

enum Stream : std::uint64_t { kActivationStream, kWeightStream };

struct Range {
  // The whole range.
  std::int64_t low, high;
  // The stored value that stands for 0.0.
  std::int64_t zero_point;
  // The range of Fill::small.
  std::int64_t tame_low, tame_high;
  // The upper end of Fill::reduced.
  std::int64_t reduced_high;

  // The values of Fill::edges, at which arithmetic changes.
  std::array<std::int64_t, 9> edges{low,       low + 1,    high,           high - 1,      low + 127,
                                    low + 128, zero_point, zero_point - 1, zero_point + 1};
};

// Computes value i from words kWords * i and kWords * i + kWords - 1 of the sequence. Values do not depend on each
// other, so that compilers vectorize the loop.
template <std::uint64_t kWords, typename T, typename Of>
[[gnu::always_inline]] inline void fill_by(std::span<T> values, const Random& random, Of of) {
  for (std::uint64_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<T>(of(random.peek(kWords * i), random.peek(kWords * i + kWords - 1)));
  }
}

template <typename T>
[[gnu::always_inline]] inline void draw(Fill fill, std::span<T> values, const Random& random, const Range& range) {
  const auto between = [](std::uint64_t word, std::int64_t low, std::int64_t high) {
    return Random::between(word, low, high);
  };
  switch (fill) {
    case Fill::edges:
      return fill_by<2>(values, random, [&](std::uint64_t first, std::uint64_t second) {
        constexpr auto kLast = static_cast<std::int64_t>(std::tuple_size_v<decltype(range.edges)>) - 1;
        const std::int64_t edge = range.edges[static_cast<std::size_t>(between(second, 0, kLast))];
        // A mask is used in place of a branch, because a branch would be mispredicted half of the time.
        const std::int64_t on_edge = -static_cast<std::int64_t>(between(first, 0, 1) == 0);
        const std::int64_t value = (edge & on_edge) | (between(second, range.low, range.high) & ~on_edge);
        return value < range.low ? range.low : value > range.high ? range.high : value;
      });
    case Fill::extremes:
      return fill_by<1>(values, random, [&](std::uint64_t word, std::uint64_t) {
        return between(word, 0, 1) == 0 ? range.low : range.high;
      });
    // Each value takes one word of the sequence or two.
    case Fill::sparse: {
      std::uint64_t taken = 0;
      for (T& value : values) {
        const std::int64_t zero = -static_cast<std::int64_t>(between(random.peek(taken), 0, 7) < 7);
        const std::int64_t other = between(random.peek(taken + 1), range.low, range.high);
        value = static_cast<T>((range.zero_point & zero) | (other & ~zero));
        taken += zero == 0 ? 2 : 1;
      }
      return;
    }
    case Fill::reduced:
    case Fill::small:
    case Fill::uniform:
    case Fill::listed: break;
  }
  const std::int64_t low = fill == Fill::small ? range.tame_low : range.low;
  const std::int64_t high = fill == Fill::small     ? range.tame_high
                            : fill == Fill::reduced ? range.reduced_high
                                                    : range.high;
  fill_by<1>(values, random, [&](std::uint64_t word, std::uint64_t) { return between(word, low, high); });
}

// AVX-512 has 64-bit multiplications, eight at a time.
template <typename T>
[[TIEOUT_AVX512]] void draw_avx512(Fill fill, std::span<T> values, const Random& random, const Range& range) {
  draw(fill, values, random, range);
}

// AVX2 composes each 64-bit multiplication of three 32-bit ones, four at a time.
template <typename T>
[[TIEOUT_AVX2]] void draw_avx2(Fill fill, std::span<T> values, const Random& random, const Range& range) {
  draw(fill, values, random, range);
}

template <typename T>
std::vector<T> materialise(const Contents<T>& contents, std::int64_t count, const Random& random, const Range& range) {
  if (contents.fill == Fill::listed) return contents.values;
  std::vector<T> values(static_cast<std::size_t>(count));
  if (best_simd_isa() >= SimdIsa::avx512) {
    draw_avx512(contents.fill, std::span<T>(values), random, range);
  } else if (best_simd_isa() >= SimdIsa::avx2) {
    draw_avx2(contents.fill, std::span<T>(values), random, range);
  } else {
    draw(contents.fill, std::span<T>(values), random, range);
  }
  return values;
}

Range range_of_bytes(std::int64_t zero_point) {
  return {.low = 0, .high = 255, .zero_point = zero_point, .tame_low = 0, .tame_high = 3, .reduced_high = 127};
}

}  // namespace

std::vector<std::uint8_t> bytes_of(const Contents<std::uint8_t>& contents, std::int64_t count, std::int64_t zero_point,
                                   std::uint64_t seed, std::uint64_t stream) {
  return materialise(contents, count, Random(seed, stream), range_of_bytes(zero_point));
}

ConvProblem with_contents(ConvCase c) {
  const Range activations = range_of_bytes(c.activation_zero_point);
  const Range weights{.low = -128,
                      .high = 127,
                      .zero_point = c.weight_zero_points.front(),
                      .tame_low = -5,
                      .tame_high = 4,
                      .reduced_high = 127};
  ConvProblem problem;
  problem.activation =
      materialise(c.activation, element_count(activation_shape(c)), Random(c.seed, kActivationStream), activations);
  problem.weight = materialise(c.weight, element_count(weight_shape(c)), Random(c.seed, kWeightStream), weights);
  problem.spec = std::move(c);
  return problem;
}

ConvCase listed(const ConvProblem& problem) {
  ConvCase c = problem.spec;
  c.activation = {Fill::listed, problem.activation};
  c.weight = {Fill::listed, problem.weight};
  c.seed = 0;
  return c;
}

}  // namespace tieout
