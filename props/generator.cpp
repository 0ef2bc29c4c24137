#include "props/generator.h"

#include <algorithm>
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

// Which contents tell arithmetics apart: the ends saturate, the middle rounds, the sparse ones isolate a product.
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

void draw_execution(ConvCase& c, Random& random, Audience audience) {
  if (audience == Audience::subject) {
    if (random.chance(1, 4)) std::fill(c.weight_zero_points.begin(), c.weight_zero_points.end(), 0);
    return;
  }
  constexpr std::array kForced{Isa::avx2, Isa::avx512, Isa::avx512_256, Isa::avx512_vnni, Isa::avx512_vnni_256};
  const std::uint32_t engine = random.below(20);
  Execution& execution = c.execution;
  execution.engine = engine < 13   ? Engine::fbgemm
                     : engine < 16 ? Engine::x86
                     : engine < 18 ? Engine::onednn
                                   : Engine::qnnpack;
  if (execution.engine == Engine::fbgemm && random.chance(3, 4)) execution.isa = random.pick(kForced);
  if (c.dims > 1 && random.chance(1, 4)) execution.memory_format = MemoryFormat::channels_last;
  if (random.chance(1, 30)) execution.threads = static_cast<int>(random.between(2, 4));
  // ONEDNN refuses them; one case in ten is left to see it do so.
  const bool symmetric = execution.engine == Engine::onednn ? random.chance(9, 10) : random.chance(1, 4);
  if (symmetric) std::fill(c.weight_zero_points.begin(), c.weight_zero_points.end(), 0);
}

ConvCase draw_case(Random& random, const GeneratorOptions& options) {
  ConvCase c;
  draw_shape(c, random, options);
  draw_quantization(c, random);
  draw_execution(c, random, options.audience);
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
  if (random.chance(1, 2)) {
    for (std::int64_t k = 0; k < c.out_channels; ++k) {
      c.bias.push_back(static_cast<float>((random.unit() - 0.5) * 20 * c.output_scale));
    }
  }
  c.relu = random.chance(1, 2) ? Relu::on : Relu::off;
  draw_execution(c, random, options.audience);
  c.seed = random.next() >> 32U;
  return c;
}

ConvCase case_of(std::uint64_t seed, std::uint64_t index, const GeneratorOptions& options) {
  Random random(seed, index);
  return draw_case(random, options);
}

}  // namespace tieout
