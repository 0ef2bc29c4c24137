#include "layers/error_bounds.h"

#include <algorithm>
#include <cmath>

#include "layers/simd/layer_loops.h"

namespace tieout {
namespace {

constexpr double kU = 0x1p-24;

bool between(double v, double low, double high) { return v >= low && v <= high; }

// The properties of a channel's weights that determine the bounds.
struct WeightNorms {
  double sum = 0;       // sum of |w - wz|
  double norm = 0;      // |w|
  double weighted = 0;  // |(d_i + 5) * w_i|, i in the order channel, then kernel position
};

std::int64_t first_half(std::int64_t length) { return (length + 1) / 2; }

WeightNorms norms_of(const LayerLoops& lanes, const std::int8_t* weight, std::int64_t length, std::int32_t zero_point,
                     std::vector<std::int32_t>& squares_of) {
  squares_of.resize(static_cast<std::size_t>((length + kNormBlock - 1) / kNormBlock));
  const std::int64_t sum = lanes.norms(weight, length, zero_point, squares_of.data());
  double squares = 0, weighted = 0;
  const std::int64_t half = first_half(length);
  for (std::int64_t begin = 0, block = 0; begin < length; begin += kNormBlock, ++block) {
    // The larger d of the two ends of the block.
    const auto d = static_cast<double>(std::max(half - begin, std::min(begin + kNormBlock, length) - half - 1));
    const double sum_of_block = squares_of[static_cast<std::size_t>(block)];
    squares += sum_of_block;
    weighted += (d + 5) * (d + 5) * sum_of_block;
  }
  return {static_cast<double>(sum), std::sqrt(squares), std::sqrt(weighted)};
}

// True if t is so far from fraction + n for every integer n that a few roundings to float32 do not reach it.
bool clear_of(double t, double fraction) {
  const double doubt = 16 * kU * std::fabs(t) + 0x1p-40;
  const double beside = std::fabs(t - fraction - std::floor(t - fraction));  // in 0..1
  return beside > doubt && beside < 1 - doubt;
}

void shift_by_whole_bias(double steps, ChannelBounds& bounds) {
  constexpr double kDoubt = 0x1p-20;
  int exponent = 0;
  const double fraction = std::frexp(bounds.multiplier, &exponent);  // in 0.5..1
  bounds.nearest_known = fraction > 0.5 + kDoubt && fraction < 1 - kDoubt && clear_of(steps, 0.5);
  bounds.truncated_known = steps == 0 || clear_of(steps, 0);
  bounds.nearest = (std::round(steps) - steps) * bounds.multiplier;
  bounds.truncated = (std::trunc(steps) - steps) * bounds.multiplier;
  bounds.twice = exponent < 0 ? std::ldexp(1.0, exponent - 1) : 0;
}

}  // namespace

std::vector<ChannelBounds> channel_bounds(const ConvCase& c, const std::int8_t* weight, SimdIsa isa) {
  const LayerLoops lanes = layer_loops(isa);
  std::vector<std::int32_t> squares;
  const std::int64_t length = reduction_length(c);
  const auto largest = static_cast<double>(std::max(c.activation_zero_point, 255 - c.activation_zero_point));
  const auto n = static_cast<double>(length);
  const double growth = (n + 5) * kU < 0.5 ? kU / (1 - (n + 5) * kU) : INFINITY;
  constexpr double kSmall = 0x1p-60, kLarge = 0x1p60, kUpward = 1 + 0x1p-16;
  std::vector<ChannelBounds> all;
  for (std::int64_t k = 0; k < c.out_channels; ++k) {
    const auto xs = static_cast<float>(c.activation_scale);
    const auto ws = static_cast<float>(weight_scale(c, k));
    const auto os = static_cast<float>(c.output_scale);
    const float unit = xs * ws;
    const WeightNorms norms =
        norms_of(lanes, weight + k * length, length, static_cast<int>(weight_zero_point(c, k)), squares);
    ChannelBounds bounds;
    bounds.multiplier = static_cast<double>(unit / os);
    const float bias = c.bias.empty() ? 0.0F : c.bias[static_cast<std::size_t>(k)];
    const auto steps = static_cast<double>(bias / unit);
    bounds.bounds_hold = norms.sum * largest < 0x1p30 && between(xs, kSmall, kLarge) && between(ws, kSmall, kLarge) &&
                         between(os, kSmall, kLarge) && between(unit, kSmall, kLarge) &&
                         between(bounds.multiplier, 0x1p-30, 1.0) && std::fabs(steps) < 0x1p22;
    bounds.bias = steps * bounds.multiplier;
    bounds.near = ChannelBounds::kSlope * (2 * std::fabs(bounds.bias) + static_cast<double>(c.output_zero_point) + 2);
    bounds.activations = kUpward * kU * bounds.multiplier * norms.norm;
    bounds.float_sum = kUpward * growth * bounds.multiplier * norms.weighted;
    bounds.half = kUpward * growth * static_cast<double>(length - first_half(length));
    bounds.running = kUpward * growth * bounds.multiplier;
    bounds.norm = norms.norm;
    if (bounds.bounds_hold)
      shift_by_whole_bias(static_cast<double>(bias) / (static_cast<double>(xs) * static_cast<double>(ws)), bounds);
    all.push_back(bounds);
  }
  return all;
}

}  // namespace tieout
