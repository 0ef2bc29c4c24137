#include "props/generate/generator.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "cases/case_predicates.h"
#include "oracle/engines/engine_model.h"
#include "props/generate/boundary_targeting.h"
#include "props/generate/conform.h"

namespace tieout {
// Draws contents that separate arithmetics: the ends of the range saturate, its middle rounds, and sparse contents
// isolate a product.
void draw_contents(ConvCase& c, Random& random) {
  constexpr std::array kActivationFills{Fill::uniform,  Fill::uniform, Fill::edges,   Fill::edges,
                                        Fill::extremes, Fill::reduced, Fill::reduced, Fill::sparse};
  constexpr std::array kWeightFills{Fill::uniform, Fill::uniform, Fill::edges, Fill::extremes, Fill::sparse};
  c.activation.fill = random.pick(kActivationFills);
  c.weight.fill = random.pick(kWeightFills);
  // A short seed keeps the case's text short and suffices.
  c.seed = random.next() >> 32U;
  // Long sums of one sign exceed int32, which random signs never do.
  if (reduction_length(c) > 30'000 && random.chance(3, 4)) {
    const std::uint8_t x = random.chance(3, 4) ? 255 : 0;
    const std::int8_t w = random.chance(1, 2) ? 127 : -128;
    c.activation = {Fill::listed, std::vector(static_cast<std::size_t>(element_count(activation_shape(c))), x)};
    c.weight = {Fill::listed, std::vector(static_cast<std::size_t>(element_count(weight_shape(c))), w)};
    if (random.chance(1, 2)) c.activation_zero_point = x == 255 ? 0 : 255;
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
  execution.engine = engine < 9    ? Engine::fbgemm
                     : engine < 11 ? Engine::onednn_pointwise
                     : engine < 13 ? Engine::fbgemm_direct
                     : engine < 16 ? Engine::x86
                     : engine < 18 ? Engine::onednn
                                   : Engine::qnnpack;
  // One engine has no linear layers.
  if (is_linear(c) && execution.engine == Engine::fbgemm_direct) execution.engine = Engine::fbgemm;
  if (is_fbgemm(execution.engine) && random.chance(3, 4)) execution.isa = random.pick(kForced);
  if (c.dims > 1 && !is_linear(c) && random.chance(1, 4)) execution.memory_format = MemoryFormat::channels_last;
  if (random.chance(1, 30)) execution.threads = static_cast<int>(random.between(2, 4));
  if (execution.engine == Engine::fbgemm_direct && random.chance(2, 3)) {
    c.bias.clear();
    draw_int32_bias(c, random);
  }
  if (execution.engine == Engine::onednn_pointwise) draw_byte_types(c, random);
  // ONEDNN refuses weight zero points; one case in ten keeps them to test that it does.
  const bool symmetric = is_onednn(execution.engine) ? random.chance(9, 10) : random.chance(1, 4);
  if (symmetric) std::fill(c.weight_zero_points.begin(), c.weight_zero_points.end(), 0);
  if (refuses_relu(c) && random.chance(9, 10)) c.relu = Relu::off;
}

void conform_parameters(ConvCase& c, Random& random, const GeneratorOptions& options) {
  if (options.where == nullptr) return;
  conform_execution(c, *options.where, random);
  conform_types(c, *options.where, random);
  conform_quantization(c, *options.where, random);
}

ConvCase draw_case(Random& random, const GeneratorOptions& options) {
  ConvCase c;
  draw_shape(c, random, options);
  draw_end_padding(c, random, options);
  draw_quantization(c, random, draw_granularity(random, options));
  const bool for_subject = options.audience == Audience::subject;
  if (for_subject) draw_wide_scales(c, random);
  draw_execution(c, random, options.audience);
  draw_contents(c, random);
  conform_parameters(c, random, options);
  if (for_subject && move_large_sums_to_tie(c, random, options)) return c;
  if (for_subject && random.chance(1, 12)) {
    move_to_boundary(random.chance(1, 3) ? Boundary::int16 : Boundary::int32, c, random);
  } else if (random.chance(2, 5)) {
    move_to_boundary(Boundary::tie, c, random);
  }
  return c;
}

ConvCase draw_uniform_case(Random& random, const GeneratorOptions& options) {
  ConvCase c;
  draw_shape(c, random, options);
  c.activation_scale = 0.02 + 0.01 * random.unit();
  c.activation_zero_point = random.between(100, 150);
  c.weight_scales = {0.005 + 0.005 * random.unit()};
  if (options.where != nullptr && conform_granularity(c.granularity, *options.where) == Granularity::per_channel) {
    c.granularity = Granularity::per_channel;
    c.weight_scales.resize(static_cast<std::size_t>(c.out_channels), c.weight_scales.front());
    c.weight_zero_points.resize(static_cast<std::size_t>(c.out_channels), 0);
  }
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
  conform_parameters(c, random, options);
  c.seed = random.next() >> 32U;
  return c;
}

ConvCase draw_long_case(Random& random, const GeneratorOptions& options) {
  ConvCase c;
  draw_long_shape(c, random, options);
  draw_quantization(c, random, draw_granularity(random, options));
  if (options.audience == Audience::subject) draw_wide_scales(c, random);
  draw_execution(c, random, options.audience);
  draw_contents(c, random);
  conform_parameters(c, random, options);
  return c;
}

}  // namespace tieout
