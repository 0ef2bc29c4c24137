#include "oracle/difference_class.h"

#include <gtest/gtest.h>

#include "cases/case_text.h"
#include "cases/contents.h"
#include "oracle/engine_model.h"

namespace tieout {
namespace {

Tensor<std::uint8_t> element(int value) { return {{1, 1, 1, 1}, {static_cast<std::uint8_t>(value)}}; }

struct Row {
  const char* line;
  int expected, actual;
  DifferenceClass cls;
  Arithmetic reference{};
};

class Classified : public testing::TestWithParam<Row> {};

// `expected` is what the reference's arithmetic gives, `actual` what a subject with one other step would.
TEST_P(Classified, ByTheStepThatWasExchanged) {
  const Row& row = GetParam();
  const auto c = parse(row.line);
  ASSERT_TRUE(c) << c.error().text();
  const ConvProblem problem = with_contents(*c);
  Window window;
  gather(problem, 0, window);
  ASSERT_EQ(fbgemm_model(window, row.reference, nullptr), row.expected) << row.line;
  const Difference found = classify_difference(problem, row.reference, element(row.expected), element(row.actual));
  EXPECT_EQ(name(found.cls), name(row.cls)) << row.line << ": " << found.exchanged;
  EXPECT_EQ(found.exchanged.empty(), row.cls == DifferenceClass::unexplained);
  EXPECT_EQ(found.explained, row.cls == DifferenceClass::unexplained ? 0 : 1);
}

using Class = DifferenceClass;

INSTANTIATE_TEST_SUITE_P(
    Steps, Classified,
    testing::Values(Row{"conv2d os=2 x=[1] w=[1]", 0, 1, Class::tie},        // 0.5
                    Row{"conv2d os=2 oz=9 x=[1] w=[-3]", 7, 8, Class::tie},  // -1.5, up
                    Row{"conv2d os=2 oz=1 x=[3] w=[1]", 3, 2, Class::tie},   // 1.5, down
                    Row{"conv2d os=4 x=[7] w=[1]", 2, 1, Class::rounding},   // 1.75, truncated
                    Row{"conv2d os=4 oz=5 x=[7] w=[1]", 7, 6, Class::rounding},
                    Row{"conv2d xs=0.05 ws=0.005 os=0.005 x=[23] w=[30]", 35, 34, Class::multiplier_rounding},
                    Row{"conv2d xs=0.05 ws=0.03 os=0.003000000026077032 bias=[0.0825] x=[6] w=[11]", 61, 60,
                        Class::bias_rounding},
                    Row{"conv2d in_channels=2 os=512 x=[2*255] w=[2*127]", 127, 64, Class::pair_saturation},
                    Row{"conv2d in_channels=2 os=512 x=[2*255] w=[2*127]",
                        64,
                        127,
                        Class::pair_saturation,
                        {.products = Arithmetic::Products::int16_pairs}},
                    Row{"conv2d in_channels=70000 os=2e+07 x=[70000*255] w=[70000*127]", 0, 113, Class::int32_wrap},
                    Row{"conv2d xs=1000 ws=1000 os=0.001 x=[255] w=[127]", 0, 255, Class::conversion_overflow},
                    Row{"conv2d os=4 x=[7] w=[1]", 2, 77, Class::unexplained},
                    Row{"conv2d os=4 x=[7] w=[1]", 2, 2, Class::unexplained}));

TEST(ClassifyDifference, NothingIsSaidWhereTheReferenceItselfIsNotReproduced) {
  const ConvProblem problem = with_contents(*parse("conv2d os=2 x=[1] w=[1]"));
  EXPECT_EQ(classify_difference(problem, {}, element(5), element(1)).cls, DifferenceClass::unexplained);
}

// 0.5, 1.5 and 1.75: away from zero explains the first, truncation the other two.
TEST(ClassifyDifference, TheExchangeThatExplainsMostGivesTheClass) {
  const ConvProblem problem = with_contents(*parse("conv2d input=1x3 os=4 x=[2,6,7] w=[1]"));
  const Difference found = classify_difference(problem, {}, {{1, 1, 1, 3}, {0, 2, 2}}, {{1, 1, 1, 3}, {1, 1, 1}});
  EXPECT_EQ(found.cls, DifferenceClass::rounding);
  EXPECT_EQ(found.explained, 2);
  EXPECT_EQ(found.differing, 3);
}

}  // namespace
}  // namespace tieout
