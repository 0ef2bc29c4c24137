#include "reports/formats/explanation_text.h"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <limits>
#include <sstream>

namespace tieout {
namespace {

using testing::HasSubstr;
using testing::Not;

Explanation deciding() {
  return {.case_line = "conv2d xs=0.1 ws=[0.5] os=0.1 x=[1] w=[1]",
          .shape = {1, 1, 1, 1},
          .products = {{1, 1}},
          .pairs = {{1, 1}},
          .columns = {{.name = "integer_float32",
                       .alike = {"qnnpack"},
                       .steps = {{"accumulator", 1}, {"raw", 1}, {"scaled", 0.5}, {"result", 0}},
                       .tie = TieDistance{0, 0}},
                      {.name = "manual_output_1",
                       .steps = {{"accumulator", 0.05000000074505806},
                                 {"scaled", 0.5000000074505806, "/ os, float64"},
                                 {"relu", 0.5000000074505806},
                                 {"result", 1}},
                       .tie = TieDistance{0x1p-27, 0.125},
                       .parted = 1}},
          .same_result = {"onednn"},
          .engine = "fbgemm",
          .answer = 0};
}

TEST(ExplanationText, ShowsTheHypothesesInColumns) {
  EXPECT_EQ(explanation_text(deciding()),
            "case: conv2d xs=0.1 ws=[0.5] os=0.1 x=[1] w=[1]\n"
            "element: [0, 0, 0, 0] of [1, 1, 1, 1]\n"
            "window: 1 product, xz = 0, wz = 0; 0 of 1 pair saturates int16 in FBGEMM's order\n"
            "            x     w   x * w      pair\n"
            "       0    1     1       1         1\n"
            "\n"
            "step          integer_float32       manual_output_1\n"
            "accumulator                 1   0.05000000074505806\n"
            "raw                         1                     -\n"
            "scaled                    0.5    0.5000000074505806 *\n"
            "  hex                  0x1p-1        0x1.0000004p-1\n"
            "  to tie, lsb               0          7.450581e-09\n"
            "  to tie, ulp               0                 0.125\n"
            "relu                        -    0.5000000074505806\n"
            "result                      0                     1\n"
            "\n"
            "* parts here from integer_float32, in the same unit:\n"
            "  manual_output_1, scaled: / os, float64\n"
            "equal to integer_float32 in every step that both have: qnnpack\n"
            "the same result by other steps: onednn\n"
            "LibTorch's fbgemm answers: 0\n");
}

TEST(ExplanationText, ShowsSaturatingPairsAndPadding) {
  using Place = ExplainedProduct::Place;
  Explanation e = deciding();
  e.activation_zero_point = 3;
  e.products = {{255, 127}, {255, 127}, {3, -1, Place::padding}};
  e.pairs = {{64770, 32767}, {-3, -3}};
  const std::string text = explanation_text(e);
  EXPECT_THAT(text, HasSubstr("window: 3 products, xz = 3, wz = 0; 1 of 2 pairs saturate int16 in FBGEMM's order\n"
                              "            x     w   x * w  (x - xz) * (w - wz)      pair\n"
                              "       0  255   127   32385                32004\n"
                              "       1  255   127   32385                32004     64770 -> 32767 in int16\n"
                              "       2    3    -1      -3                    0        -3  padding\n"));
}

// Of 23 products, the first 12 and the last 5 are shown and the 6 between are counted. The last part has 5 and not 4,
// because a cut never separates a pair.
TEST(ExplanationText, LongWindowsAreShortenedBetweenPairs) {
  Explanation e = deciding();
  e.products.assign(23, {1, 1});
  e.pairs.assign(12, {2, 2});
  const std::string text = explanation_text(e);
  EXPECT_THAT(text, HasSubstr("      11    1     1       1         2\n"
                              "     ... 6 more ...\n"
                              "      18    1     1       1\n"));
  EXPECT_THAT(text, HasSubstr("      22    1     1       1         2\n"));
  e.products.resize(20);
  e.pairs.resize(10);
  EXPECT_THAT(explanation_text(e), Not(HasSubstr("more")));
}

TEST(ExplanationText, BlocksHaveAtMostFourColumnsAndEightyCharacters) {
  Explanation e = deciding();
  e.columns.resize(1);
  for (const char* const name : {"one", "two", "three", "four"}) {
    e.columns.push_back({.name = name, .steps = {{"raw", 1}, {"result", 7}}, .parted = 1});
  }
  e.same_result.assign(9, "integer_separate_bias");
  const std::string narrow = explanation_text(e);
  EXPECT_THAT(narrow, HasSubstr("step          integer_float32   one   two   three\n"));
  EXPECT_THAT(narrow, HasSubstr("step          integer_float32   four\n"));
  for (ExplainedColumn& column : e.columns) column.steps.front().value = -1.2345678901234567e-100;
  std::istringstream wide(explanation_text(e));
  for (std::string line; std::getline(wide, line);) EXPECT_LE(line.size(), 80U) << line;
}

// fmt would write 0x before these values, or a NaN with its sign.
TEST(ExplanationText, ShowsNanAndInfinity) {
  Explanation e = deciding();
  e.columns.resize(1);
  e.columns[0].steps = {{"scaled", -std::numeric_limits<double>::quiet_NaN()}, {"result", 0}};
  e.columns[0].tie.reset();
  const std::string text = explanation_text(e);
  EXPECT_THAT(text, HasSubstr("scaled                    nan\n"
                              "  hex                     nan\n"
                              "result                      0\n"));
}

TEST(ExplanationText, ShowsTheReasonForAMissingAnswer) {
  Explanation e = deciding();
  e.answer.reset();
  e.remark = "died: SIGSEGV";
  EXPECT_THAT(explanation_text(e), HasSubstr("LibTorch's fbgemm gives no answer\n  died: SIGSEGV\n"));
}

}  // namespace
}  // namespace tieout
