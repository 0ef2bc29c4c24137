#include "props/shrink.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "cases/case_text.h"
#include "cases/contents.h"
#include "cases/validate.h"
#include "kernels/conv_relu.h"
#include "props/strategy.h"
#include "props/subproblem.h"

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

// What is planted: a subject that takes every weight below -100 for -100.
bool has_planted_bug(const ConvCase& c) {
  const ConvProblem p = with_contents(c);
  ConvProblem faulty = p;
  for (std::int8_t& w : faulty.weight) w = std::max<std::int8_t>(w, -100);
  return conv_relu(p, {}) != conv_relu(faulty, {});
}

TEST(Shrink, APlantedBugEndsAtOneElement) {
  int failing = 0;
  int with_more = 0;  // than four products
  for (std::uint64_t index = 0; index < 200; ++index) {
    const ConvCase c = case_of(6, index);
    if (reduction_length(c) > 1000 || !has_planted_bug(c)) continue;
    if (++failing > 25) break;
    const ConvCase small = shrink(c, has_planted_bug, {.seconds = 60});  // slow under sanitizers
    EXPECT_TRUE(has_planted_bug(small));
    EXPECT_EQ(element_count(output_shape(small)), 1) << print(c) << "\n  became  " << print(small);
    // Where one product alone is clamped or overflows, a few others bring the result back into the range.
    EXPECT_LE(reduction_length(small), 12) << print(c) << "\n  became  " << print(small);
    with_more += reduction_length(small) > 4 ? 1 : 0;
  }
  EXPECT_GT(failing, 20);
  EXPECT_LE(with_more, failing / 6);
}

// A difference in the result itself: kernels that part only at pair saturation end at one pair.
TEST(Shrink, PairSaturationEndsAtOnePair) {
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

// By work, so that a slow machine ends at the same case as a fast one.
TEST(Shrink, EndsWhereItsWorkDoes) {
  const ConvCase c{.in_channels = 16, .out_channels = 8, .input = {1, 6, 5}, .kernel = {1, 3, 3}};
  int tries = 0;
  int steps = 0;
  std::int64_t products = 0;
  const auto every_third = [&](const ConvCase& candidate) {
    products += element_count(output_shape(candidate)) * reduction_length(candidate);
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

TEST(Subproblem, PositionsOutsideHoldTheZeroPoint) {
  const ConvProblem p = with_contents({.input = {1, 2, 2},
                                       .activation_zero_point = 9,
                                       .activation = {Fill::listed, {1, 2, 3, 4}},
                                       .weight = {Fill::listed, {1}}});
  Selection kept = everything(p.spec);
  kept.input[2] = {-1, 1};
  EXPECT_EQ(select(p, kept).activation.values, (std::vector<std::uint8_t>{9, 2, 9, 4}));
}

}  // namespace
}  // namespace tieout
