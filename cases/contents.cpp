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
};

int draw_edge(Random& random, const Range& range) {
  const std::array<int, 9> edges{range.low,        range.low + 1,        range.high,
                                 range.high - 1,   range.low + 127,      range.low + 128,
                                 range.zero_point, range.zero_point - 1, range.zero_point + 1};
  const int value = random.chance(1, 2) ? random.pick(edges) : static_cast<int>(random.between(range.low, range.high));
  return value < range.low ? range.low : value > range.high ? range.high : value;
}

int draw(Fill fill, Random& random, const Range& range) {
  switch (fill) {
    case Fill::edges: return draw_edge(random, range);
    case Fill::extremes: return random.chance(1, 2) ? range.low : range.high;
    case Fill::reduced: return static_cast<int>(random.between(range.low, range.reduced_high));
    case Fill::sparse:
      return random.chance(7, 8) ? range.zero_point : static_cast<int>(random.between(range.low, range.high));
    case Fill::small: return static_cast<int>(random.between(range.tame_low, range.tame_high));
    case Fill::uniform:
    case Fill::listed: break;
  }
  return static_cast<int>(random.between(range.low, range.high));
}

template <typename T>
std::vector<T> materialise(const Contents<T>& contents, std::int64_t count, Random random, const Range& range) {
  if (contents.fill == Fill::listed) return contents.values;
  std::vector<T> values(static_cast<std::size_t>(count));
  for (T& value : values) value = static_cast<T>(draw(contents.fill, random, range));
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
