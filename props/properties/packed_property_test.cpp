// Tests that the packed kernels give the same results on every instruction set as the slow definition, element by
// element: on cases of the hunting generator, which have many ties; as a whole, by single rows, and on several threads.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>

#include "cases/contents.h"
#include "cases/layout.h"
#include "cases/text/case_text.h"
#include "kernels/conv_relu.h"
#include "kernels/packed/packed_conv.h"
#include "props/generate/generator.h"

namespace tieout {
namespace {

using Products = Arithmetic::Products;
using ActivationSum = Arithmetic::ActivationSum;
using TensorBias = Arithmetic::TensorBias;

constexpr std::array kArithmetics{
    Arithmetic{}, Arithmetic{.products = Products::int16_pairs},
    Arithmetic{.activation_sum = ActivationSum::int16, .tensor_bias = TensorBias::separate},
    Arithmetic{Products::int16_pairs, ActivationSum::int16, TensorBias::separate}};

// Returns the specification's values, channels last. conv_relu_traces() is not used, because it takes its channels'
// numbers from the same place as the packed kernels.
template <typename T, typename Field>
std::vector<T> channels_last(const ConvProblem& problem, const std::vector<ElementTrace>& traces, const Field& field) {
  std::vector<T> values;
  for (const ElementTrace& trace : traces) values.push_back(field(trace));
  const ConvCase& c = problem.spec;
  return transposed(values.data(), c.batch, c.out_channels, volume(output_size(c)));
}

void expect_equal(const ConvProblem& drawn, const Arithmetic& arithmetic) {
  const ConvProblem problem = with_even_padding(drawn);  // the packed kernels take no other padding
  const ConvCase& c = problem.spec;
  std::vector<ElementTrace> traces;
  for (std::int64_t i = 0; i < element_count(output_shape(c)); ++i) {
    traces.push_back(conv_relu_trace(problem, arithmetic, i));
  }
  const auto expected =
      channels_last<std::uint8_t>(problem, traces, [](const auto& t) { return static_cast<std::uint8_t>(t.result); });
  const auto expected_sums = channels_last<std::int32_t>(problem, traces, [](const auto& t) { return t.accumulator; });
  const auto x = transposed(problem.activation.data(), c.batch, c.in_channels, volume(c.input));
  const Spatial out = output_size(c);
  const std::int64_t row = out[2] * c.out_channels;
  for (const SimdIsa isa : simd_isas()) {
    RC_LOG() << name(isa) << '\n';
    const PackedConv conv(c, problem.weight, arithmetic, isa);
    std::vector<std::uint8_t> y(expected.size(), 77);
    conv.run(x.data(), y.data(), 1);
    RC_ASSERT(y == expected);
    std::fill(y.begin(), y.end(), std::uint8_t{77});
    conv.run(x.data(), y.data(), 3);
    RC_ASSERT(y == expected);
    // The kernel runs one row at a time and three, and returns the sums as well.
    const std::int64_t rows = out[0] * out[1];
    for (const std::int64_t many : {1, 3}) {
      std::fill(y.begin(), y.end(), std::uint8_t{77});
      std::vector<std::int32_t> sums(expected.size(), 77);
      for (std::int64_t first = 0; first < c.batch * rows;) {
        const OutputRows here{first / rows, first % rows, std::min(many, rows - first % rows)};
        conv.run(x.data(), here, y.data() + first * row, sums.data() + first * row);
        first += here.count;
      }
      RC_ASSERT(y == expected);
      RC_ASSERT(sums == expected_sums);
    }
  }
}

std::uint64_t draw_seed() {
  return *rc::gen::noShrink(rc::gen::resize(rc::kNominalSize, rc::gen::arbitrary<std::uint64_t>()));
}

// Tests a shape with quantization and contents of any kind, by any arithmetic.
void fill_and_expect_equal(ConvCase c, Random& random) {
  draw_quantization(c, random, draw_granularity(random, {}));
  draw_contents(c, random);
  c.seed = random.next();
  const ConvProblem problem = with_contents(c);
  RC_LOG() << print(problem.spec) << '\n';
  expect_equal(problem, random.pick(kArithmetics));
}

RC_GTEST_PROP(Packed, EqualsTheSpecification, ()) {
  Random random(draw_seed());
  const ConvProblem problem = with_contents(draw_case(random));
  RC_LOG() << print(problem.spec) << '\n';
  for (const Arithmetic& arithmetic : kArithmetics) expect_equal(problem, arithmetic);
}

// The generator draws small shapes. These have channels that fill several panels of registers, and rows of many tiles.
RC_GTEST_PROP(Packed, EqualsTheSpecificationOnWideLayers, ()) {
  Random random(draw_seed());
  ConvCase c{.in_channels = random.between(1, 40), .out_channels = random.between(1, 200)};
  if (random.chance(1, 3)) {
    c.in_channels = c.out_channels = c.groups = random.between(1, 200);
  } else if (random.chance(1, 3)) {
    c.groups = random.between(2, 4);
    c.in_channels = c.groups * random.between(1, 12);
    c.out_channels = c.groups * random.between(1, 90);
  }
  for (std::size_t d = 1; d < 3; ++d) {
    c.kernel[d] = random.between(1, 3);
    c.stride[d] = random.between(1, 2);
    c.dilation[d] = random.chance(1, 4) ? 2 : 1;
    c.padding[d] = random.between(0, 2);
    c.input[d] = random.between(c.dilation[d] * (c.kernel[d] - 1) + 1, d == 1 ? 6 : 40);
  }
  // The usual depthwise layers of networks have loops of their own.
  if (c.groups > 4 && random.chance(1, 2)) {
    c.kernel = {1, 3, 3};
    c.dilation = {1, 1, 1};
    for (std::size_t d = 1; d < 3; ++d) c.input[d] = std::max<std::int64_t>(c.input[d], 3);
  }
  fill_and_expect_equal(c, random);
}

// The taps are too far apart to copy the lines between them.
RC_GTEST_PROP(Packed, EqualsTheSpecificationWhereTapsAreFarApart, ()) {
  Random random(draw_seed());
  constexpr std::int64_t kFar = std::int64_t{1} << 24;
  ConvCase c{.groups = random.between(1, 2), .kernel = {1, 2, random.between(1, 3)}, .stride = {1, kFar, 1}};
  c.in_channels = c.groups * random.between(1, 5);
  c.out_channels = c.groups * random.between(1, 40);
  c.input = {1, random.between(1, 3), random.between(3, 20)};
  c.dilation[1] = kFar;
  c.padding = {0, kFar, random.between(0, 2)};
  fill_and_expect_equal(c, random);
}

// The layers have so many channels that the windows of a row, or the rows of an image, take more than one chunk: see
// kChunkBytes. These cases take long, so that only a fifth are drawn with so many; the others have the same shapes with
// a hundredth of the channels, which fit into one chunk.
RC_GTEST_PROP(Packed, EqualsTheSpecificationInSeveralChunks, ()) {
  Random random(draw_seed());
  const std::int64_t share = random.chance(1, 5) ? 1 : 100;
  ConvCase c;
  const std::int64_t layer = random.between(0, 2);
  // The number of channels is odd: if neighbours saturate together, windows are joined.
  if (layer == 0) {
    c.in_channels = 2 * (random.between(2500, 4500) / share) + 1;
    c.out_channels = random.between(1, 2);
    c.kernel = {1, random.between(2, 3), random.chance(1, 4) ? 2 : 1};
    c.input = {1, random.between(3, 4), random.between(10, 22)};
  } else if (layer == 1) {
    // The channels fill whole steps, so that padding is trimmed.
    c.in_channels = 4 * (random.between(1000, 2200) / share);
    c.out_channels = random.between(1, 2);
    c.input = {1, random.between(4, 11), random.between(2, 5)};
    c.kernel = {1, random.between(1, 3), random.between(1, std::min<std::int64_t>(c.input[2], 3))};
    c.padding = {0, random.between(0, 1), random.between(0, 1)};
  } else {
    c.in_channels = c.out_channels = c.groups = random.between(600, 1800) / share;
    c.kernel = {1, 3, 3};
    c.stride = {1, random.between(1, 2), random.between(1, 2)};
    c.input = {1, random.between(8, 16), random.between(6, 14)};
    c.padding = {0, random.between(0, 1), random.between(0, 1)};
  }
  fill_and_expect_equal(c, random);
}

}  // namespace
}  // namespace tieout
