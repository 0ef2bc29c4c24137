#include "cases/contents.h"

#include <array>
#include <utility>

#include "cases/random.h"

namespace tieout {
namespace {

enum Stream : std::uint64_t { kActivationStream, kWeightStream };

struct Range {
  int low, high;            // every value
  int zero_point;           // what stands for 0.0
  int tame_low, tame_high;  // Fill::small
  int reduced_high;         // Fill::reduced

  // Fill::edges: where arithmetic changes.
  std::array<int, 9> edges{low,       low + 1,    high,           high - 1,      low + 127,
                           low + 128, zero_point, zero_point - 1, zero_point + 1};
};

int draw_edge(Random& random, const Range& range) {
  const int value =
      random.chance(1, 2) ? random.pick(range.edges) : static_cast<int>(random.between(range.low, range.high));
  return value < range.low ? range.low : value > range.high ? range.high : value;
}

template <typename T>
std::vector<T> materialise(const Contents<T>& contents, std::int64_t count, Random random, const Range& range) {
  if (contents.fill == Fill::listed) return contents.values;
  std::vector<T> values(static_cast<std::size_t>(count));
  // Each fill's loop by itself: what is drawn is asked once, and not for every number.
  const auto fill_by = [&](auto of_one) {
    for (T& value : values) value = static_cast<T>(of_one());
  };
  switch (contents.fill) {
    case Fill::edges: fill_by([&] { return draw_edge(random, range); }); break;
    case Fill::extremes: fill_by([&] { return random.chance(1, 2) ? range.low : range.high; }); break;
    case Fill::reduced: fill_by([&] { return random.between(range.low, range.reduced_high); }); break;
    case Fill::sparse:
      fill_by([&] { return random.chance(7, 8) ? range.zero_point : random.between(range.low, range.high); });
      break;
    case Fill::small: fill_by([&] { return random.between(range.tame_low, range.tame_high); }); break;
    case Fill::uniform:
    case Fill::listed: fill_by([&] { return random.between(range.low, range.high); }); break;
  }
  return values;
}

}  // namespace

ConvProblem with_contents(ConvCase c) {
  const Range activations{.low = 0,
                          .high = 255,
                          .zero_point = static_cast<int>(c.activation_zero_point),
                          .tame_low = 0,
                          .tame_high = 3,
                          .reduced_high = 127};
  const Range weights{.low = -128,
                      .high = 127,
                      .zero_point = static_cast<int>(c.weight_zero_points.front()),
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
