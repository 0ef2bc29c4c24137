#include "kernels/conv_relu.h"

#include <gtest/gtest.h>

#include <limits>

#include "cases/contents.h"

namespace tieout {
namespace {

using Products = Arithmetic::Products;
using TensorBias = Arithmetic::TensorBias;

// A problem with one product and one output element.
struct Point {
  int x, w;
  double xs = 1, ws = 1;
  std::int64_t xz = 0, wz = 0;
  double os = 1;
  std::int64_t oz = 0;
  std::vector<float> bias{};
  Relu relu = Relu::off;
};

ConvProblem problem(const Point& p, Granularity granularity = Granularity::per_tensor) {
  return {.spec = {.activation_scale = p.xs,
                   .activation_zero_point = p.xz,
                   .granularity = granularity,
                   .weight_scales = {p.ws},
                   .weight_zero_points = {p.wz},
                   .output_scale = p.os,
                   .output_zero_point = p.oz,
                   .bias = p.bias,
                   .relu = p.relu},
          .activation = {static_cast<std::uint8_t>(p.x)},
          .weight = {static_cast<std::int8_t>(p.w)}};
}

int run(const Point& p, Granularity granularity = Granularity::per_tensor, const Arithmetic& arithmetic = {}) {
  return conv_relu(problem(p, granularity), arithmetic).values.front();
}

TEST(ConvRelu, RoundsTiesToEven) {
  EXPECT_EQ(run({.x = 1, .w = 1, .os = 2}), 0);             // 0.5
  EXPECT_EQ(run({.x = 3, .w = 1, .os = 2}), 2);             // 1.5
  EXPECT_EQ(run({.x = 5, .w = 1, .os = 2}), 2);             // 2.5
  EXPECT_EQ(run({.x = 5, .w = -1, .os = 2, .oz = 10}), 8);  // -2.5
}

// Rounding after adding an odd zero point would give 2.
TEST(ConvRelu, AddsTheZeroPointAfterRounding) { EXPECT_EQ(run({.x = 1, .w = 1, .os = 2, .oz = 1}), 1); }

// x * w = 690. The operator's 690 * fl(fl(.05 * .005) / .005) is above 34.5; 690 * (.05 * (.005 / .005)) in double is
// the tie.
TEST(ConvRelu, MultiplierIsDividedInFloat32) {
  EXPECT_EQ(run({.x = 23, .w = 30, .xs = .05, .ws = .005, .os = .005}), 35);
}

TEST(ConvRelu, SubtractsBothZeroPoints) {
  EXPECT_EQ(run({.x = 10, .w = 7, .xz = 4, .wz = 2}), 30);                    // (10 - 4) * (7 - 2)
  EXPECT_EQ(run({.x = 0, .w = -128, .xz = 255, .wz = 127, .os = 255}), 255);  // 255 * 255 / 255
}

TEST(ConvRelu, ClampsAtBothEndsAndAtTheZeroPointWithRelu) {
  EXPECT_EQ(run({.x = 255, .w = 127}), 255);
  EXPECT_EQ(run({.x = 255, .w = -127}), 0);
  EXPECT_EQ(run({.x = 3, .w = -1, .oz = 10}), 7);
  EXPECT_EQ(run({.x = 3, .w = -1, .oz = 10, .relu = Relu::on}), 10);
}

// A value that does not fit int32 converts to INT32_MIN, so that a huge positive one becomes 0.
TEST(ConvRelu, OverflowOfTheConversionGivesZero) {
  EXPECT_EQ(run({.x = 255, .w = 127, .xs = 1e3, .ws = 1e3, .os = 1e-3}), 0);
  EXPECT_EQ(run({.x = 1, .w = 1, .bias = {std::numeric_limits<float>::infinity()}}), 0);
}

// Three inputs that distinguish how a float bias is added, with oz = 20.
TEST(ConvRelu, BiasHasOneRoundingPerTensorAndTwoPerChannel) {
  const auto point = [](int x, int w, double xs, double ws, float bias) {
    const auto os = 2.0 * static_cast<double>(static_cast<float>(xs)) * static_cast<double>(static_cast<float>(ws));
    return Point{.x = x, .w = w, .xs = xs, .ws = ws, .os = os, .oz = 20, .bias = {bias}};
  };
  const auto a = point(11, 6, .01, .02, -0.0137999998F);
  const auto b = point(12, -1, .07, .07, 0.0930999964F);
  const auto c = point(11, -3, .6, .005, 0.0780000016F);
  EXPECT_EQ(run(a), 19);
  EXPECT_EQ(run(b), 23);
  EXPECT_EQ(run(c), 17);
  EXPECT_EQ(run(a, Granularity::per_channel), 18);
  EXPECT_EQ(run(b, Granularity::per_channel), 24);
  EXPECT_EQ(run(c, Granularity::per_channel), 16);
}

ConvProblem depthwise_centre() {  // one channel of a depthwise problem of 3x3 with padding 1
  return {.spec = {.input = {1, 3, 3}, .kernel = {1, 3, 3}, .padding = {0, 1, 1}, .output_scale = 2048},
          .activation = std::vector<std::uint8_t>(9, 255),
          .weight = std::vector<std::int8_t>(9, 127)};
}

TEST(ConvRelu, PairsSaturateOnlyIfRequested) {
  EXPECT_EQ(conv_relu(depthwise_centre(), {}).values[4], 142);
  EXPECT_EQ(conv_relu(depthwise_centre(), {.products = Products::int16_pairs}).values[4], 80);
  // Two channels are one pair and saturate.
  ConvProblem p{.spec = {.in_channels = 2, .output_scale = 512}, .activation = {255, 255}, .weight = {127, 127}};
  EXPECT_EQ(conv_relu(p, {}).values[0], 127);
  EXPECT_EQ(conv_relu(p, {.products = Products::int16_pairs}).values[0], 64);
  EXPECT_EQ(conv_relu_trace(p, {.products = Products::int16_pairs}, 0).saturated_pairs, 1);
}

// Neighbours in the reduction are channels first: the pair is x0 w0 + x1 w1, across the channels of one tap.
TEST(ConvRelu, ChannelsRunFastestInPairs) {
  ConvProblem p{.spec = {.in_channels = 2, .input = {1, 1, 2}, .kernel = {1, 1, 2}, .output_scale = 512},
                .activation = {255, 0, 255, 0},  // tap 0 of both channels is 255
                .weight = {127, 0, 127, 0}};
  EXPECT_EQ(conv_relu(p, {.products = Products::int16_pairs}).values[0], 64);
}

TEST(ConvRelu, PaddingHoldsTheZeroPoint) {
  ConvProblem p{.spec = {.kernel = {1, 3, 3}, .padding = {0, 1, 1}, .activation_zero_point = 7},
                .activation = {9},
                .weight = {1, 1, 1, 1, 1, 1, 1, 1, 1}};
  EXPECT_EQ(conv_relu(p, {}).values[0], 2);
}

TEST(ConvRelu, SumsWrapAtInt32) {
  constexpr std::int64_t kTaps = 70'000;
  ConvProblem p{.spec = {.in_channels = kTaps, .output_scale = 1e7},
                .activation = std::vector<std::uint8_t>(kTaps, 255),
                .weight = std::vector<std::int8_t>(kTaps, 127)};
  const ElementTrace trace = conv_relu_trace(p, {}, 0);
  EXPECT_EQ(trace.accumulator, kTaps * 255 * 127 - (std::int64_t{1} << 32));
  EXPECT_TRUE(trace.wrapped);
}

TEST(ConvRelu, TheActivationSumSaturatesOnlyIfRequested) {
  constexpr std::int64_t kTaps = 129;  // 129 * 255 is the first sum above 32767
  ConvProblem p{.spec = {.in_channels = kTaps, .weight_zero_points = {-1}},
                .activation = std::vector<std::uint8_t>(kTaps, 255),
                .weight = std::vector<std::int8_t>(kTaps, 0)};
  EXPECT_EQ(conv_relu_trace(p, {}, 0).accumulator, 129 * 255);
  EXPECT_EQ(conv_relu_trace(p, {.activation_sum = Arithmetic::ActivationSum::int16}, 0).accumulator, 32767);
}

// The expected values for 1, 2 and 3 dimensions, groups, stride and dilation were computed by hand.
TEST(ConvRelu, GathersItsWindow) {
  const ConvProblem line{
      .spec = {.dims = 1, .input = {1, 1, 6}, .kernel = {1, 1, 2}, .stride = {1, 1, 2}, .dilation = {1, 1, 3}},
      .activation = {1, 2, 3, 4, 5, 6},
      .weight = {10, 1}};
  EXPECT_EQ(conv_relu(line, {}), (Answers{{1, 1, 2}, {14, 36}}));
  const ConvProblem groups{.spec = {.batch = 2, .in_channels = 2, .out_channels = 4, .groups = 2},
                           .activation = {1, 2, 3, 4},
                           .weight = {1, 2, 3, 4}};
  EXPECT_EQ(conv_relu(groups, {}), (Answers{{2, 4, 1, 1}, {1, 2, 6, 8, 3, 6, 12, 16}}));
  const ConvProblem cube{.spec = {.dims = 3, .input = {2, 2, 2}, .kernel = {2, 2, 1}},
                         .activation = {1, 2, 3, 4, 5, 6, 7, 8},
                         .weight = {1, 2, 3, 4}};
  EXPECT_EQ(conv_relu(cube, {}), (Answers{{1, 1, 1, 1, 2}, {50, 60}}));
}

// The end has its own padding; the same positions in the input give the same sums.
TEST(ConvRelu, PadsTheEndOnItsOwn) {
  ConvCase c{.in_channels = 2, .input = {1, 3, 4}, .kernel = {1, 2, 3}, .padding = {0, 1, 0}};
  c.extra_end_padding = {0, -1, 2};
  c.activation_zero_point = 7;
  c.weight_zero_points = {3};
  c.output_scale = 400;
  c.seed = 5;
  const ConvProblem problem = with_contents(c);
  EXPECT_EQ(conv_relu(problem, {}), conv_relu(with_even_padding(problem), {}));
}

// 100 * 2 - 3 = 197, then modulo 2^32 with a bias at the end of int32.
TEST(ConvRelu, AddsAnInt32BiasToTheSum) {
  ConvCase c{.output_scale = 2, .int32_bias = {-3}};
  c.activation = {Fill::listed, {100}};
  c.weight = {Fill::listed, {2}};
  EXPECT_EQ(conv_relu(with_contents(c), {}).values.front(), 98);  // 98.5, tie to even
  c.output_type = OutputType::int32;
  EXPECT_EQ(conv_relu(with_contents(c), {}).values.front(), 197);
  c.int32_bias = {std::numeric_limits<std::int32_t>::max()};
  EXPECT_EQ(conv_relu(with_contents(c), {}).values.front(), std::numeric_limits<std::int32_t>::min() + 199);
}

}  // namespace
}  // namespace tieout
