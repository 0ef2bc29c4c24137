#include "props/shrink/shrink.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "cases/contents.h"
#include "cases/testing/parsed.h"
#include "cases/text/case_cost.h"
#include "cases/text/case_text.h"
#include "cases/validate.h"
#include "kernels/conv_relu.h"
#include "props/generate/strategy.h"
#include "props/shrink/sub_case.h"

namespace tieout {
namespace {

TEST(ShrinkCandidates, AreValidAndListed) {
  for (std::uint64_t index = 0; index < 60; ++index) {
    for (const ConvCase& candidate : shrink_candidates(case_of(4, index, {.products = 2'000}))) {
      ASSERT_TRUE(validate(candidate)) << print(candidate);
      ASSERT_EQ(candidate.activation.fill, Fill::listed);
    }
  }
}

// The planted fault is a subject that reads every weight below -100 as -100.
bool has_planted_bug(const ConvCase& c) {
  const ConvProblem p = with_contents(c);
  ConvProblem faulty = p;
  for (std::int8_t& w : faulty.weight) w = std::max<std::int8_t>(w, -100);
  return conv_relu(p, {}) != conv_relu(faulty, {});
}

TEST(Shrink, APlantedFaultIsReducedToOneElement) {
  int failing = 0;
  int with_more = 0;  // Number of shrunk cases with more than four products.
  for (std::uint64_t index = 0; index < 200; ++index) {
    const ConvCase c = case_of(6, index);
    if (reduction_length(c) > 1000 || !has_planted_bug(c)) continue;
    if (++failing > 25) break;
    // Shrinking is slow under sanitizers.
    const ConvCase small = shrink(c, has_planted_bug, {.seconds = 60});
    EXPECT_TRUE(has_planted_bug(small));
    EXPECT_EQ(element_count(output_shape(small)), 1) << print(c) << "\n  became  " << print(small);
    // If a single product is clamped or overflows, a few others bring the result back into the range.
    EXPECT_LE(reduction_length(small), 12) << print(c) << "\n  became  " << print(small);
    with_more += reduction_length(small) > 4 ? 1 : 0;
  }
  EXPECT_GT(failing, 20);
  EXPECT_LE(with_more, failing / 6);
}

// The difference is in the result: kernels that differ only at pair saturation give a case with one pair.
TEST(Shrink, PairSaturationIsReducedToOnePair) {
  const auto differs = [](const ConvCase& c) {
    const ConvProblem p = with_contents(c);
    return conv_relu(p, {}) != conv_relu(p, {.products = Arithmetic::Products::int16_pairs});
  };
  const ConvCase c{.batch = 2,
                   .in_channels = 16,
                   .out_channels = 8,
                   .input = {1, 6, 5},
                   .kernel = {1, 3, 3},
                   .padding = {0, 1, 1},
                   .output_scale = 4096,
                   .output_zero_point = 128,
                   .seed = 3,
                   .activation = {Fill::extremes, {}},
                   .weight = {Fill::extremes, {}}};
  ASSERT_TRUE(differs(c));
  const ConvCase small = shrink(c, differs);
  EXPECT_EQ(element_count(output_shape(small)), 1) << print(small);
  EXPECT_EQ(reduction_length(small), 2) << print(small);
}

// The subject rounds halves away from zero. It fails where a value before rounding is an exact tie that rounds to an
// even number below.
bool rounds_halves_away(const ConvCase& c) {
  for (const ElementTrace& trace : conv_relu_traces(with_contents(c), {})) {
    const double rounded = std::round(trace.scaled) + static_cast<double>(c.output_zero_point);
    const double least = c.relu == Relu::on ? static_cast<double>(c.output_zero_point) : 0;
    if (std::clamp(rounded, least, 255.0) != trace.result) return true;
  }
  return false;
}

// The domain of a kernel that takes 3x3 windows with padding, multiples of sixteen channels, and a scale for each
// channel.
bool is_in_narrow_domain(const ConvCase& c) {
  return c.dims == 2 && c.batch == 1 && c.groups == 1 && c.in_channels % 16 == 0 && c.out_channels % 16 == 0 &&
         c.kernel == Spatial{1, 3, 3} && c.padding == Spatial{0, 1, 1} && c.stride == Spatial{1, 1, 1} &&
         c.dilation == Spatial{1, 1, 1} && c.granularity == Granularity::per_channel &&
         std::ranges::all_of(c.weight_zero_points, [](std::int64_t zero_point) { return zero_point == 0; });
}

ConvCase narrow_case() {
  ConvCase c{.in_channels = 48,
             .out_channels = 80,
             .input = {1, 3, 5},
             .kernel = {1, 3, 3},
             .padding = {0, 1, 1},
             .activation_scale = 0.125,
             .granularity = Granularity::per_channel,
             .output_scale = 64,
             .output_zero_point = 70,
             .seed = 5};
  for (int k = 0; k < 80; ++k) {
    c.weight_scales.resize(static_cast<std::size_t>(k) + 1);
    c.weight_scales.back() = std::exp2(-(k % 5));
    c.bias.push_back(static_cast<float>(k * 7 - 200));
  }
  c.weight_zero_points.assign(80, 0);
  return c;
}

std::ptrdiff_t count_other_than(const auto& values, auto value) {
  return std::ssize(values) - std::ranges::count(values, value);
}

// Halving 48 and 80 channels never gives 16, and a granularity that must stay must not keep the scales.
TEST(Shrink, ANarrowDomainGivesItsSmallestShapeWithPlainParameters) {
  const auto fails = [](const ConvCase& c) { return is_in_narrow_domain(c) && rounds_halves_away(c); };
  ConvCase c = narrow_case();
  while (c.seed < 100 && !fails(c)) ++c.seed;
  ASSERT_TRUE(fails(c));
  const ConvCase small = shrink(c, fails, {.products = 20'000'000, .seconds = 60});
  EXPECT_EQ(small.in_channels, 16) << print(small);
  EXPECT_EQ(small.out_channels, 16) << print(small);
  EXPECT_EQ(small.input, (Spatial{1, 1, 1})) << print(small);
  EXPECT_EQ(count_other_than(small.weight.values, 0), 0) << print(small);
  EXPECT_EQ(count_other_than(small.weight_scales, 1.0), 0) << print(small);
  EXPECT_EQ(count_other_than(small.bias, 0.0F), 1) << print(small);
  EXPECT_EQ(small.output_scale, 1) << print(small);
}

// The smallest weight of the domain has 16 * 16 * 9 = 2304 values, of which one decides.
TEST(Shrink, ALongListIsReducedToTheDecidingValue) {
  const auto fails = [](const ConvCase& c) { return is_in_narrow_domain(c) && has_planted_bug(c); };
  ConvCase c = narrow_case();
  c.weight_scales.assign(80, 1.0);
  c.weight = {Fill::uniform, {}};
  ASSERT_TRUE(fails(c));
  const ConvCase small = shrink(c, fails, {.seconds = 60});
  // The weight may lie beside the middle.
  EXPECT_LE(element_count(output_shape(small)), 2 * 16) << print(small);
  EXPECT_EQ(small.in_channels, 16) << print(small);
  EXPECT_EQ(count_other_than(small.weight.values, 0), 1) << print(small);
  EXPECT_EQ(count_other_than(small.activation.values, small.activation_zero_point), 1) << print(small);
}

// Only the output scale and the bias together make a tie.
TEST(Shrink, ATieOfBiasAndOutputScaleBecomesOneHalf) {
  const ConvCase c{.activation_scale = 1,
                   .output_scale = 136.625,
                   .bias = {136.625F * 40.5F},
                   .activation = {Fill::listed, {3}},
                   .weight = {Fill::listed, {0}}};
  ASSERT_TRUE(rounds_halves_away(c));
  const ConvCase small = shrink(c, rounds_halves_away, {.seconds = 60});
  EXPECT_EQ(small.output_scale, 1) << print(small);
  EXPECT_EQ(small.bias, std::vector<float>{0.5F}) << print(small);
}

// The scale and the bias of the last of many channels decide; all others become plain.
TEST(Shrink, OneChannelOfManyKeepsItsScaleAndBias) {
  const auto fails = [](const ConvCase& c) {
    return c.out_channels == 80 && c.granularity == Granularity::per_channel && c.weight_scales.back() > 2 &&
           std::ranges::any_of(c.bias, [](float bias) { return bias > 90; });
  };
  ConvCase c = narrow_case();
  c.weight_scales.back() = 3.7;
  const ConvCase small = shrink(c, fails, {.seconds = 60});
  EXPECT_EQ(count_other_than(small.weight_scales, 1.0), 1) << print(small);
  EXPECT_EQ(count_other_than(small.bias, 0.0F), 1) << print(small);
}

// The limits count work and not time, so that a slow machine ends at the same case as a fast one.
TEST(Shrink, StopsAtItsLimitOfWork) {
  const ConvCase c{.in_channels = 16, .out_channels = 8, .input = {1, 6, 5}, .kernel = {1, 3, 3}};
  int tries = 0;
  int steps = 0;
  std::int64_t products = 0;
  const auto every_third = [&](const ConvCase& candidate) {
    products += product_count(candidate);
    const bool fails = ++tries % 3 == 0;
    steps += fails ? 1 : 0;
    return fails;
  };
  (void)shrink(c, every_third, {.tries = 7, .seconds = 1e6});
  EXPECT_LE(tries, 7);
  EXPECT_GT(tries, 3);
  tries = steps = 0;
  (void)shrink(c, every_third, {.steps = 2, .seconds = 1e6});
  EXPECT_EQ(steps, 2);
  EXPECT_EQ(tries, 6);
  products = 0;
  (void)shrink(c, every_third, {.products = 30'000, .seconds = 1e6});
  EXPECT_GT(products, 0);
  EXPECT_LE(products, 30'000);
}

// The types stay, and what they allow becomes simpler.
TEST(Shrink, SimplifiesInt32BiasesAndTheEndsPadding) {
  const ConvCase c = parse_case(
      "conv2d in_channels=3 out_channels=2 input=5x6 kernel=3x3 padding=1 padding_end=2x0 "
      "xtype=int8 xz=-7 ytype=int8 oz=9 os=100 int32_bias=[1000,-77] seed=4");
  const ConvCase smallest = shrink(c, [](const ConvCase& s) { return s.int32_bias.size() == 2; }, {});
  EXPECT_EQ(print(smallest).substr(0, 200),
            "conv2d out_channels=2 xtype=int8 ytype=int8 int32_bias=[2*0] x=[0] w=[2*0]");
}

TEST(Subproblem, PositionsOutsideOfTheInputHaveTheZeroPoint) {
  const ConvProblem p = with_contents({.input = {1, 2, 2},
                                       .activation_zero_point = 9,
                                       .activation = {Fill::listed, {1, 2, 3, 4}},
                                       .weight = {Fill::listed, {1}}});
  Selection kept = select_all(p.spec);
  kept.input[2] = {-1, 1};
  EXPECT_EQ(sub_case(p, kept).activation.values, (std::vector<std::uint8_t>{9, 2, 9, 4}));
}

TEST(Shrink, ALinearLayerStaysOne) {
  const ConvCase c =
      parse("linear batch=3 in_features=6 out_features=4 os=90 bias=[1,2,3,4] x=uniform w=uniform").value();
  const ConvCase smallest = shrink(c, [](const ConvCase& candidate) { return candidate.in_channels >= 2; }, {});
  EXPECT_EQ(print(smallest), "linear in_features=2 x=[2*0] w=[2*0]");
}

}  // namespace
}  // namespace tieout
