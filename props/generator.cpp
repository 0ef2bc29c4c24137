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

// What one element's value before rounding is made of.
struct Aim {
  std::int64_t k = 0;  // its output channel
  double raw = 0;      // the sum, exact: pair saturation moves it on some machines only
  double unit = 0;     // xs * ws, as float32 has it
};

Aim aim_of(const ConvProblem& problem, std::int64_t offset) {
  const ConvCase& c = problem.spec;
  const auto k = offset / volume(output_size(c)) % c.out_channels;
  return {.k = k,
          .raw = static_cast<double>(conv_relu_trace(problem, Arithmetic{}, offset).accumulator),
          .unit = static_cast<double>(static_cast<float>(c.activation_scale) * static_cast<float>(weight_scale(c, k)))};
}

Aim choose_element(const ConvCase& c, Random& random) {
  return aim_of(with_contents(c), random.below(static_cast<std::uint32_t>(element_count(output_shape(c)))));
}

// Solves for the bias, or the output scale where there is none, and goes a few floats beside.
void solve(ConvCase& c, Random& random, const Aim& aim, double target) {
  const std::int64_t floats_beside = random.between(-2, 2);
  if (!c.bias.empty()) {
    const double multiplier = aim.unit / static_cast<float>(c.output_scale);
    const float bias = step(static_cast<float>((target / multiplier - aim.raw) * aim.unit), floats_beside);
    if (std::isfinite(bias)) c.bias[static_cast<std::size_t>(aim.k)] = bias;
  } else {
    const float scale = step(static_cast<float>(aim.unit * aim.raw / target), floats_beside);
    if (std::isnormal(scale) && scale > 1e-30F) c.output_scale = scale;
  }
}

// Weights of one sign, so that sums pass 2^24: as a whole, where float32 begins to lose bits, or only before the zero points
// are taken out, where terms that are kept in too little room lose them. True: that is what the case became.
bool draw_large_sums(ConvCase& c, Random& random) {
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
  if (!as_a_whole) {
    aim_at_tie(c, random);
    return true;
  }
  // Every channel's bias cancels its sum down to a tie: what was lost of the sum is seen in each of them.
  c.bias.assign(static_cast<std::size_t>(c.out_channels), 0);
  const ConvProblem problem = with_contents(c);
  for (std::int64_t k = 0; k < c.out_channels; ++k) {
    const double tie = static_cast<double>(random.between(-c.output_zero_point, 255 - c.output_zero_point)) + 0.5;
    solve(c, random, aim_of(problem, k * volume(output_size(c))), tie);
  }
  return true;
}

}  // namespace

void aim_at_tie(ConvCase& c, Random& random) {
  const Aim aim = choose_element(c, random);
  // Without a bias the value has the sign of the sum.
  const std::int64_t lowest = c.bias.empty() && aim.raw > 0 ? 0 : -c.output_zero_point;
  const std::int64_t highest = c.bias.empty() && aim.raw < 0 ? -1 : 255 - c.output_zero_point;
  if ((c.bias.empty() && aim.raw == 0) || lowest > highest) return;
  solve(c, random, aim, static_cast<double>(random.between(lowest, highest)) + 0.5);
}

void aim_at_conversion(ConvCase& c, Random& random) {
  // The ends of int32 and the floats beside them, of int16, and of what the trick with 1.5 * 2^23 can round.
  constexpr std::array kEnds{2147483520.0, 2147483520.0, 2147483648.0, -2147483648.0, -2147483904.0, 32767.5,
                             -32768.5,     65535.5,      4194304.0,    -8388608.0,    -12582912.0,   8388608.0};
  const Aim aim = choose_element(c, random);
  const double end = random.pick(kEnds);
  if (c.bias.empty() && aim.raw == 0) return;
  solve(c, random, aim, c.bias.empty() && (aim.raw < 0) != (end < 0) ? -end : end);
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
  const bool for_subject = options.audience == Audience::subject;
  if (for_subject) draw_wide_scales(c, random);
  draw_execution(c, random, options.audience);
  draw_contents(c, random);
  if (for_subject && draw_large_sums(c, random)) return c;
  if (for_subject && random.chance(1, 12)) {
    aim_at_conversion(c, random);
  } else if (random.chance(2, 5)) {
    aim_at_tie(c, random);
  }
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
