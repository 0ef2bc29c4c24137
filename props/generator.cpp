#include "props/generator.h"

#include <array>
#include <cmath>
#include <limits>

#include "cases/contents.h"
#include "kernels/conv_relu.h"

namespace tieout {
namespace {

float step(float value, std::int64_t floats) {
  const float direction = floats < 0 ? -std::numeric_limits<float>::infinity() : std::numeric_limits<float>::infinity();
  for (std::int64_t i = std::abs(floats); i > 0; --i) value = std::nextafter(value, direction);
  return value;
}

void draw_contents(ConvCase& c, Random& random) {
  constexpr std::array kActivationFills{Fill::uniform,  Fill::uniform, Fill::edges,   Fill::edges,
                                        Fill::extremes, Fill::reduced, Fill::reduced, Fill::sparse};
  constexpr std::array kWeightFills{Fill::uniform, Fill::uniform, Fill::edges, Fill::extremes, Fill::sparse};
  c.activation.fill = random.pick(kActivationFills);
  c.weight.fill = random.pick(kWeightFills);
  c.seed = random.next() >> 32U;  // short in the case's text, and enough
  // Long sums of one sign pass int32, which random signs never do.
  if (reduction_length(c) > 30'000 && random.chance(3, 4)) {
    const std::uint8_t x = random.chance(3, 4) ? 255 : 0;
    const std::int8_t w = random.chance(1, 2) ? 127 : -128;
    c.activation = {Fill::listed, std::vector(static_cast<std::size_t>(element_count(activation_shape(c))), x)};
    c.weight = {Fill::listed, std::vector(static_cast<std::size_t>(element_count(weight_shape(c))), w)};
    if (random.chance(1, 2)) c.activation_zero_point = x == 255 ? 0 : 255;
  }
}

}  // namespace

void aim_at_tie(ConvCase& c, Random& random) {
  const ConvProblem problem = with_contents(c);
  const auto count = static_cast<std::uint32_t>(element_count(output_shape(c)));
  const std::int64_t offset = random.below(count);
  const auto k = offset / volume(output_size(c)) % c.out_channels;
  // Pair saturation moves the sum on some machines only; the exact one is aimed at.
  const double raw = conv_relu_trace(problem, Arithmetic{}, offset).accumulator;
  const double unit =
      static_cast<double>(static_cast<float>(c.activation_scale) * static_cast<float>(weight_scale(c, k)));
  // Without a bias the value has the sign of the sum.
  const std::int64_t lowest = c.bias.empty() && raw > 0 ? 0 : -c.output_zero_point;
  const std::int64_t highest = c.bias.empty() && raw < 0 ? -1 : 255 - c.output_zero_point;
  if ((c.bias.empty() && raw == 0) || lowest > highest) return;
  const double target = static_cast<double>(random.between(lowest, highest)) + 0.5;
  const std::int64_t floats_beside = random.between(-2, 2);
  if (!c.bias.empty()) {
    const double multiplier = unit / static_cast<float>(c.output_scale);
    const float bias = step(static_cast<float>((target / multiplier - raw) * unit), floats_beside);
    if (std::isfinite(bias)) c.bias[static_cast<std::size_t>(k)] = bias;
  } else {
    const float scale = step(static_cast<float>(unit * raw / target), floats_beside);
    if (std::isnormal(scale) && scale > 1e-30F) c.output_scale = scale;
  }
}

ConvCase draw_case(Random& random, const GeneratorOptions& options) {
  ConvCase c;
  draw_shape(c, random, options);
  draw_quantization(c, random);
  draw_contents(c, random);
  if (random.chance(2, 5)) aim_at_tie(c, random);
  return c;
}

ConvCase draw_uniform_case(Random& random, const GeneratorOptions& options) {
  ConvCase c;
  draw_shape(c, random, options);
  c.activation_scale = 0.02 + 0.01 * random.unit();
  c.activation_zero_point = random.between(100, 150);
  c.weight_scales = {0.005 + 0.005 * random.unit()};
  c.output_scale =
      c.activation_scale * c.weight_scales.front() * 91.0 * std::sqrt(static_cast<double>(reduction_length(c)));
  c.output_zero_point = random.between(100, 150);
  c.relu = random.chance(1, 2) ? Relu::on : Relu::off;
  c.seed = random.next() >> 32U;
  return c;
}

ConvCase case_of(std::uint64_t seed, std::uint64_t index, const GeneratorOptions& options) {
  Random random(seed, index);
  return draw_case(random, options);
}

}  // namespace tieout
