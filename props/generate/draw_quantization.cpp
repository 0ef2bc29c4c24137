#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "cases/case_predicates.h"
#include "props/generate/conform.h"
#include "props/generate/generator.h"

namespace tieout {
namespace {

// Scales are computed with +, *, / and ldexp only, because these round alike everywhere, and exp and log do not.

// Returns a number whose mantissa is uniform in [1, 2) and whose exponent is uniform, so that every octave has the same
// share.
double log_uniform(Random& random, int lowest_exponent, int highest_exponent) {
  const double mantissa = 1.0 + random.unit();
  return std::ldexp(mantissa, static_cast<int>(random.between(lowest_exponent, highest_exponent)));
}

// Returns D / 10^p, which is the double that the decimal text 0.0..D reads as.
double short_decimal(Random& random, int fewest_places, int most_places) {
  double power = 1;
  for (std::int64_t p = random.between(fewest_places, most_places); p > 0; --p) power *= 10;
  const std::int64_t digits = random.chance(3, 4) ? random.between(1, 9) : random.between(10, 99);
  return static_cast<double>(digits) / power;
}

enum class Regime { observer, decimal, power_of_two, extreme, overflow };

double draw_scale(Regime regime, Random& random) {
  switch (regime) {
    // Observers compute in float32.
    case Regime::observer: return static_cast<float>(log_uniform(random, -9, -4));
    case Regime::decimal: return short_decimal(random, 1, 3);
    case Regime::power_of_two: return std::ldexp(1.0, static_cast<int>(random.between(-8, 1)));
    case Regime::extreme: return log_uniform(random, -20, 9);  // 1e-6..1e3
    case Regime::overflow: break;
  }
  return log_uniform(random, 0, 9);
}

// Returns a multiplier that spreads the sums of this case over the output's range. Sums of n products of full-range
// values have a standard deviation of about sqrt(n) * 74 * 74, and a standard deviation of about 60 covers 0..255.
double useful_multiplier(const ConvCase& c, Random& random) {
  return 60.0 / (5476.0 * std::sqrt(static_cast<double>(reduction_length(c)))) * log_uniform(random, -3, 3);
}

// Returns a number of the regime's kind that is not far from `value`.
double near(Regime regime, double value, Random& random) {
  switch (regime) {
    case Regime::decimal: {
      double power = 1;
      while (value * power < 1 && power < 1e12) power *= 10;
      return std::max(1.0, std::floor(value * power)) / power;
    }
    case Regime::power_of_two: {
      int exponent = 0;
      (void)std::frexp(value, &exponent);
      return std::ldexp(1.0, exponent);
    }
    case Regime::extreme: return log_uniform(random, -20, 9);
    case Regime::overflow: return log_uniform(random, -20, -10);
    case Regime::observer: break;
  }
  return static_cast<float>(value);
}

void draw_scales(ConvCase& c, Random& random) {
  constexpr std::array kRegimes{Regime::observer, Regime::observer,     Regime::decimal,      Regime::decimal,
                                Regime::decimal,  Regime::power_of_two, Regime::power_of_two, Regime::extreme,
                                Regime::extreme,  Regime::overflow};
  const Regime regime = random.pick(kRegimes);
  c.activation_scale = draw_scale(regime, random);
  // Channels that share one scale hide a mixed-up channel; most cases have different scales.
  const bool alike = random.chance(1, 4);
  const double shared = draw_scale(regime, random);
  for (double& scale : c.weight_scales) scale = alike ? shared : draw_scale(regime, random);
  const double unit = c.activation_scale * c.weight_scales.front();
  c.output_scale = near(regime, unit / useful_multiplier(c, random), random);
  // Decimals and powers of two may underflow in the division. Any positive number serves then.
  if (!(static_cast<float>(c.output_scale) > 1e-30F)) c.output_scale = 0.1;
}

std::int64_t draw_zero_point(Random& random, std::int64_t low, std::int64_t high, std::int64_t middle) {
  switch (random.below(5)) {
    case 0: return low;
    case 1: return high;
    case 2: return middle;
    default: return random.between(low, high);
  }
}

void draw_zero_points(ConvCase& c, Random& random) {
  c.activation_zero_point = draw_zero_point(random, 0, 255, 128);
  c.output_zero_point = draw_zero_point(random, 0, 255, 128);
  // Weights are symmetric in most models.
  if (random.chance(1, 2)) return;
  const bool alike = random.chance(1, 2);
  const std::int64_t shared = draw_zero_point(random, -128, 127, 0);
  for (std::int64_t& zero_point : c.weight_zero_points) {
    zero_point = alike ? shared : draw_zero_point(random, -128, 127, 0);
  }
}

void draw_bias(ConvCase& c, Random& random) {
  const std::uint32_t kind = random.below(10);
  if (kind < 4) return;
  c.bias.resize(static_cast<std::size_t>(c.out_channels));
  for (std::size_t k = 0; k < c.bias.size(); ++k) {
    const double unit = c.activation_scale * weight_scale(c, static_cast<std::int64_t>(k));
    double value = 0;
    if (kind < 7) {
      // This moves the result across its whole range.
      value = (random.unit() - 0.5) * 255 * c.output_scale;
    } else if (kind == 7) {
      // This lies halfway between two integer biases.
      value = (static_cast<double>(random.between(-2000, 2000)) + 0.5) * unit;
    } else if (kind == 8) {
      const double sign = random.chance(1, 2) ? 1 : -1;
      // This is beyond 2^24 or beyond int32.
      value = sign * unit * log_uniform(random, 24, 36);
    }
    c.bias[k] = static_cast<float>(value);
    if (!std::isfinite(c.bias[k])) c.bias[k] = 0;
  }
}

constexpr std::int64_t kLowest = std::numeric_limits<std::int32_t>::min();
constexpr std::int64_t kHighest = std::numeric_limits<std::int32_t>::max();

}  // namespace

void draw_byte_types(ConvCase& c, Random& random) {
  c.output_type = random.chance(1, 2) ? OutputType::int8 : OutputType::uint8;
  if (is_linear(c)) c.activation_type = random.chance(1, 2) ? ActivationType::int8 : ActivationType::uint8;
}

void draw_int32_bias(ConvCase& c, Random& random) {
  const std::uint32_t kind = random.below(10);
  if (kind == 0) return;
  c.int32_bias.resize(static_cast<std::size_t>(c.out_channels));
  for (std::size_t k = 0; k < c.int32_bias.size(); ++k) {
    std::int64_t value = 0;
    if (kind < 6) {
      // This moves the result across its whole range.
      const double unit = c.activation_scale * weight_scale(c, static_cast<std::int64_t>(k));
      const double steps = (random.unit() - 0.5) * 255 * c.output_scale / unit;
      value = static_cast<std::int64_t>(std::clamp(steps, -0x1p31, 0x1p31 - 1));
    } else if (kind == 6) {
      value = random.between(-3, 3);
    } else if (kind == 7) {
      // float32 does not hold most of these numbers.
      value = (random.chance(1, 2) ? 1 : -1) * random.between((1 << 24) - 8, (1 << 24) + 64);
    } else {
      // Sums wrap: at the end of int32 by the first product, and farther inside by large ones.
      const std::int64_t inside = kind == 8 ? random.between(0, 2) : random.between(0, 1 << 20);
      value = random.chance(1, 2) ? kHighest - inside : kLowest + inside;
    }
    c.int32_bias[k] = static_cast<std::int32_t>(value);
  }
}

Granularity draw_granularity(Random& random, const GeneratorOptions& options) {
  const Granularity drawn = random.chance(1, 2) ? Granularity::per_channel : Granularity::per_tensor;
  return options.where == nullptr ? drawn : conform_granularity(drawn, *options.where);
}

void draw_quantization(ConvCase& c, Random& random, Granularity granularity) {
  c.granularity = granularity;
  const auto channels = static_cast<std::size_t>(c.granularity == Granularity::per_channel ? c.out_channels : 1);
  c.weight_scales.assign(channels, 1.0);
  c.weight_zero_points.assign(channels, 0);
  draw_scales(c, random);
  draw_zero_points(c, random);
  draw_bias(c, random);
  c.relu = random.chance(1, 2) ? Relu::on : Relu::off;
}

}  // namespace tieout
