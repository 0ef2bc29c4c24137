#include "props/generate/boundary_targeting.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <optional>

#include "cases/contents.h"
#include "kernels/conv_relu.h"

namespace tieout {

float float_beside(float value, std::int64_t floats) {
  const float end = floats < 0 ? -std::numeric_limits<float>::infinity() : std::numeric_limits<float>::infinity();
  for (std::int64_t i = std::abs(floats); i > 0; --i) value = std::nextafter(value, end);
  return value;
}

namespace {

// States which signs the value before rounding can take; without a bias it has the sign of the sum.
struct Signs {
  bool negative = true, positive = true;
};

std::optional<double> draw_target(Boundary boundary, const ConvCase& c, Signs signs, Random& random) {
  if (boundary == Boundary::tie) {
    const std::int64_t lowest = signs.negative ? -c.output_zero_point : 0;
    const std::int64_t highest = signs.positive ? 255 - c.output_zero_point : -1;
    if (lowest > highest) return {};
    return static_cast<double>(random.between(lowest, highest)) + 0.5;
  }
  const bool positive = signs.positive && (!signs.negative || random.chance(1, 2));
  if (!positive && !signs.negative) return {};
  // Holds the ends of int32 and the floats beside them, and those of the range in which adding and subtracting 1.5 *
  // 2^23 rounds correctly.
  constexpr std::array kUpper{2147483520.0, 2147483520.0, 2147483648.0, 4194304.0, 8388608.0};
  constexpr std::array kLower{-2147483648.0, -2147483648.0, -2147483904.0, -8388608.0, -12582912.0};
  if (boundary == Boundary::int32) return random.pick(positive ? kUpper : kLower);
  // This is the limit of uint16, for kernels that convert through that type.
  if (positive && random.chance(1, 8)) return 65535.5;
  const double limit = positive ? 32767 : -32768;
  const double shifted = random.chance(1, 2) ? limit - static_cast<double>(c.output_zero_point) : limit;
  return shifted + (random.chance(1, 2) ? 0.5 : -0.5);
}

// Holds two activations and two weights for which x0 * w0 + x1 * w1 is close to a limit of int16.
struct Pair {
  std::array<std::uint8_t, 2> x{};
  std::array<std::int8_t, 2> w{};
};

std::int64_t distance_to_limit(std::int64_t sum) { return std::min(std::abs(sum - 32767), std::abs(sum + 32768)); }

// alike: both activations have the same value, as required if the pair's elements are neighbours in space.
Pair draw_pair(bool alike, Random& random) {
  Pair best;
  std::int64_t closest = std::numeric_limits<std::int64_t>::max();
  const std::int64_t wanted = random.between(0, 2);
  for (int tries = 0; tries < 60; ++tries) {
    const bool positive = random.chance(1, 2);
    const auto draw_weight = [&] { return positive ? random.between(1, 127) : random.between(-128, -1); };
    const std::int64_t x0 = random.between(128, 255);
    const std::int64_t w0 = draw_weight();
    const std::int64_t w1 = draw_weight();
    const std::int64_t rest = (positive ? 32767 : -32768) - x0 * w0;
    const std::int64_t x1 = alike ? x0 : std::clamp<std::int64_t>(rest / w1, 0, 255);
    const std::int64_t off = std::abs(distance_to_limit(x0 * w0 + x1 * w1) - wanted);
    if (off >= closest) continue;
    closest = off;
    best = {{static_cast<std::uint8_t>(x0), static_cast<std::uint8_t>(x1)},
            {static_cast<std::int8_t>(w0), static_cast<std::int8_t>(w1)}};
  }
  return best;
}

// Holds the parts from which one element's value before rounding is computed.
struct Element {
  // The output channel.
  std::int64_t k = 0;
  // The exact sum, because pair saturation changes it on some machines only.
  double raw = 0;
  // xs * ws in float32.
  double unit = 0;
};

Element element_of(const ConvProblem& problem, std::int64_t offset) {
  const ConvCase& c = problem.spec;
  const auto k = offset / volume(output_size(c)) % c.out_channels;
  return {.k = k,
          .raw = static_cast<double>(conv_relu_trace(problem, Arithmetic{}, offset).accumulator),
          .unit = static_cast<double>(static_cast<float>(c.activation_scale) * static_cast<float>(weight_scale(c, k)))};
}

// Solves for the bias, or for the output scale if there is no bias, and then moves it by up to two floats.
void solve(ConvCase& c, Random& random, const Element& element, double target) {
  const std::int64_t floats_beside = random.between(-2, 2);
  if (!c.bias.empty()) {
    const double multiplier = element.unit / static_cast<float>(c.output_scale);
    const float bias =
        float_beside(static_cast<float>((target / multiplier - element.raw) * element.unit), floats_beside);
    if (std::isfinite(bias)) c.bias[static_cast<std::size_t>(element.k)] = bias;
  } else {
    const float scale = float_beside(static_cast<float>(element.unit * element.raw / target), floats_beside);
    if (std::isnormal(scale) && scale > 1e-30F) c.output_scale = scale;
  }
}

}  // namespace

void move_to_boundary(Boundary boundary, ConvCase& c, Random& random) {
  // An int32 output is not scaled, so that no value is rounded.
  if (c.output_type == OutputType::int32) return;
  const auto count = static_cast<std::uint32_t>(element_count(output_shape(c)));
  const Element element = element_of(with_contents(c), random.below(count));
  if (c.bias.empty() && element.raw == 0) return;
  const Signs signs = c.bias.empty() ? Signs{.negative = element.raw < 0, .positive = element.raw > 0} : Signs{};
  if (const auto target = draw_target(boundary, c, signs, random)) solve(c, random, element, *target);
}

// Draws weights of one sign, so that sums exceed 2^24: either the final sums, where float32 begins to lose bits, or
// only the sums before zero points are subtracted, which kernels with too narrow intermediate types lose. Returns true
// if it changed the case.
bool move_large_sums_to_tie(ConvCase& c, Random& random, const GeneratorOptions& options) {
  if (reduction_length(c) < 300 || reduction_length(c) > 5'000 || !random.chance(2, 3)) return false;
  const std::int64_t low = random.chance(1, 2) ? -128 : 100;
  c.activation.fill = Fill::uniform;
  c.weight = {Fill::listed, {}};
  for (std::int64_t i = element_count(weight_shape(c)); i > 0; --i) {
    c.weight.values.push_back(static_cast<std::int8_t>(random.between(low, low + 27)));
  }
  const bool as_a_whole = random.chance(2, 3);
  c.activation_zero_point = as_a_whole ? random.pick(std::array<std::int64_t, 3>{0, 3, 255}) : random.between(110, 140);
  for (std::int64_t& zero_point : c.weight_zero_points) zero_point = as_a_whole ? 0 : random.between(low, low + 27);
  if (as_a_whole && c.int32_bias.empty()) c.bias.assign(static_cast<std::size_t>(c.out_channels), 0);
  conform_parameters(c, random, options);
  if (!as_a_whole || c.bias.empty()) {
    move_to_boundary(Boundary::tie, c, random);
    return true;
  }
  // The bias of each channel cancels the sum down to a tie, so that a lost bit of the sum shows in every channel.
  const ConvProblem problem = with_contents(c);
  for (std::int64_t k = 0; k < c.out_channels; ++k) {
    const double tie = static_cast<double>(random.between(-c.output_zero_point, 255 - c.output_zero_point)) + 0.5;
    solve(c, random, element_of(problem, k * volume(output_size(c))), tie);
  }
  return true;
}

void draw_pair_limits(ConvCase& c, Random& random) {
  // Neighbours in the reduction are channels of a group, or taps of the window if a group has one channel.
  const std::int64_t channels = c.in_channels / c.groups;
  const bool by_tap = channels == 1;
  const Pair pair = draw_pair(by_tap, random);
  const std::int64_t input = volume(c.input);
  const std::int64_t taps = volume(c.kernel);
  std::vector<std::uint8_t> x(static_cast<std::size_t>(element_count(activation_shape(c))));
  std::vector<std::int8_t> w(static_cast<std::size_t>(element_count(weight_shape(c))));
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto channel = static_cast<std::int64_t>(i) / input % channels;
    x[i] = pair.x[static_cast<std::size_t>(channel % 2)];
    if (random.chance(1, 16)) x[i] = static_cast<std::uint8_t>(random.between(0, 255));
  }
  for (std::size_t i = 0; i < w.size(); ++i) {
    const auto at = static_cast<std::int64_t>(i);
    w[i] = pair.w[static_cast<std::size_t>((by_tap ? at % taps : at / taps % channels) % 2)];
    if (random.chance(1, 16)) w[i] = static_cast<std::int8_t>(random.between(-128, 127));
  }
  c.activation = {Fill::listed, std::move(x)};
  c.weight = {Fill::listed, std::move(w)};
}

void draw_growing_sums(ConvCase& c, Random& random, const GeneratorOptions& options) {
  const std::uint8_t x = random.chance(3, 4) ? 255 : 0;
  const std::int8_t w = random.chance(1, 2) ? 127 : -128;
  c.activation = {Fill::listed, std::vector(static_cast<std::size_t>(element_count(activation_shape(c))), x)};
  c.weight = {Fill::listed, std::vector(static_cast<std::size_t>(element_count(weight_shape(c))), w)};
  // One odd value in each channel gives sums whose last bits float32 rounds.
  const std::int64_t per_channel = reduction_length(c);
  for (std::int64_t k = 0; k < c.out_channels; ++k) {
    c.weight.values[static_cast<std::size_t>(k * per_channel)] = static_cast<std::int8_t>(random.between(-128, 127));
  }
  if (random.chance(1, 2)) c.activation_zero_point = x == 255 ? 0 : 255;
  conform_parameters(c, random, options);
}

}  // namespace tieout
