#include "oracle/hypotheses/mismatch_class.h"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "cases/contents.h"
#include "cases/testing/parsed.h"
#include "cases/text/case_text.h"
#include "oracle/engines/engine_model.h"

namespace tieout {
namespace {

using testing::HasSubstr;

using Class = MismatchClass;
using Values = std::vector<std::int32_t>;

Answers tensor(const ConvProblem& problem, Values values) { return {output_shape(problem.spec), std::move(values)}; }

Values values_of(const ConvProblem& problem, const Arithmetic& reference) {
  Values values;
  Window window;
  for (std::int64_t i = 0; i < element_count(output_shape(problem.spec)); ++i) {
    gather(problem, i, window);
    values.push_back(fbgemm_model(window, reference, nullptr));
  }
  return values;
}

struct Row {
  const char* line;
  Values expected, actual;
  Class cls;
  const char* derivation;  // must be among the derivations named
  Arithmetic reference{};
};

class Classified : public testing::TestWithParam<Row> {};

// `expected` is the output of the reference's arithmetic, `actual` that of a subject with one other step.
TEST_P(Classified, ByTheExchangedStep) {
  const Row& row = GetParam();
  const ConvProblem problem = parse_problem(row.line);
  ASSERT_EQ(values_of(problem, row.reference), row.expected) << row.line;
  const MismatchCause found =
      classify_mismatches(problem, row.reference, tensor(problem, row.expected), tensor(problem, row.actual));
  EXPECT_EQ(name(found.cls), name(row.cls)) << row.line << ": " << found.exchanged;
  EXPECT_THAT(found.exchanged, HasSubstr(row.derivation));
  EXPECT_EQ(found.exchanged.empty(), row.cls == Class::unexplained) << found.exchanged;
  EXPECT_EQ(found.explained, row.cls == Class::unexplained ? 0 : found.differing);
}

INSTANTIATE_TEST_SUITE_P(
    Steps, Classified,
    testing::Values(
        // The exact values are 0.5, 1.5, 2.5, 2 and their negatives.
        Row{"conv2d out_channels=2 input=1x4 os=2 oz=9 x=[1,3,5,4] w=[1,-1]",
            {9, 11, 11, 11, 9, 7, 7, 7},
            {10, 11, 12, 11, 8, 7, 6, 7},
            Class::tie,
            "away from zero"},
        Row{"conv2d out_channels=2 input=1x4 os=2 oz=9 x=[1,3,5,4] w=[1,-1]",
            {9, 11, 11, 11, 9, 7, 7, 7},
            {10, 11, 12, 11, 9, 8, 7, 7},
            Class::tie,
            "ties are rounded up"},
        // The exact values are 1.75, -1.75, 1.25 and -1.25.
        Row{"conv2d out_channels=2 input=1x2 os=4 oz=9 x=[7,5] w=[1,-1]",
            {11, 10, 7, 8},
            {10, 10, 8, 8},
            Class::rounding,
            "toward zero"},
        Row{"conv2d in_channels=2 os=512 x=[2*255] w=[2*127]", {127}, {64}, Class::pair_saturation, "int16"},
        Row{"conv2d in_channels=2 os=512 x=[2*255] w=[2*127]",
            {64},
            {127},
            Class::pair_saturation,
            "int16",
            {.products = Arithmetic::Products::int16_pairs}},
        Row{"conv2d in_channels=70000 os=2e+07 x=[70000*255] w=[70000*127]", {0}, {113}, Class::int32_wrap, "wrapped"},
        Row{"conv2d xs=1000 ws=1000 os=0.001 x=[255] w=[127]", {0}, {255}, Class::conversion_overflow, "saturates"},
        Row{"conv2d input=1x2 kernel=1x3 padding=0x1 xz=5 oz=100 x=[6,7] w=[1,1,1]",
            {103, 103},
            {98, 98},
            Class::padding_value,
            "padding holds 0"},
        Row{"conv2d input=1x2 bias=[10] x=[1,2] w=[1]", {11, 12}, {1, 2}, Class::missing_bias, "not added"},
        Row{"conv2d input=1x2 oz=50 relu x=[1,20] w=[-1]", {50, 50}, {49, 30}, Class::relu, "not applied"},
        Row{"conv2d input=1x2 oz=50 x=[1,20] w=[-1]", {49, 30}, {50, 50}, Class::relu, "where it is off"},
        Row{"conv2d input=1x2 x=[100,200] w=[3]", {255, 255}, {44, 88}, Class::clamp, "low 8 bits"},
        Row{"conv2d input=1x2 xz=10 os=4 oz=100 x=[250,20] w=[2]", {220, 105}, {92, 105}, Class::zero_point, "8 bits"},
        Row{"conv2d input=1x2 xz=10 x=[11,12] w=[1]", {1, 2}, {11, 12}, Class::zero_point, "activation's"},
        Row{"conv2d input=1x2 wz=-1 x=[11,12] w=[1]", {22, 24}, {11, 12}, Class::zero_point, "weight's"},
        Row{"conv2d os=4 x=[7] w=[1]", {2}, {77}, Class::unexplained, ""},
        Row{"conv2d os=4 x=[7] w=[1]", {2}, {2}, Class::unexplained, ""}));

// The order of the multiplier decides whether the value is 34.5 or less. A single element does not determine which step
// rounds differently.
TEST(ClassifyMismatches, OneElementThatSeveralClassesExplainIsUnexplained) {
  const ConvProblem one = parse_problem("conv2d xs=0.05 ws=0.005 os=0.005 x=[23] w=[30]");
  EXPECT_EQ(classify_mismatches(one, {}, tensor(one, {35}), tensor(one, {34})).cls, Class::unexplained);
}

TEST(ClassifyMismatches, CasesOfOneSubjectAddUp) {
  const ConvProblem first = parse_problem("conv2d xs=0.05 ws=0.005 os=0.005 x=[23] w=[30]");
  PossibleCauses causes;
  causes.observe(first, Arithmetic{}, tensor(first, {35}), tensor(first, {34}));
  ASSERT_EQ(causes.conclude(1).cls, Class::unexplained);
  // 1.5 and 1.75 are rounded to 2: neither down nor toward zero.
  const ConvProblem equal = parse_problem("conv2d input=1x2 os=4 x=[6,7] w=[1]");
  causes.observe(equal, Arithmetic{}, tensor(equal, {2, 2}), tensor(equal, {2, 2}));
  EXPECT_EQ(causes.conclude(1).cls, Class::unexplained) << "one step on one element is too little";
  const ConvProblem second = parse_problem("conv2d xs=0.05 ws=0.005 os=0.005 x=[46] w=[15]");
  causes.observe(second, Arithmetic{}, tensor(second, {35}), tensor(second, {34}));
  const MismatchCause found = causes.conclude(1);
  EXPECT_EQ(name(found.cls), name(Class::multiplier_rounding)) << found.exchanged;
  EXPECT_EQ(PossibleCauses::from_bits(causes.bits()).conclude(1).exchanged, found.exchanged);
}

// 0.5 is rounded away from zero; 2.5, which would be as well, is not.
TEST(ClassifyMismatches, AnEqualElementHasToBePredictedAsWell) {
  const ConvProblem problem = parse_problem("conv2d input=1x2 os=2 x=[1,5] w=[1]");
  const MismatchCause found = classify_mismatches(problem, {}, tensor(problem, {0, 2}), tensor(problem, {1, 2}));
  EXPECT_EQ(found.cls, Class::unexplained);
  EXPECT_EQ(found.differing, 1);
}

// A class has to be possible: a sum that float32 holds exactly is not converted differently, a case without a bias has
// no bias rounding, and small values do not saturate.
TEST(ClassifyMismatches, AnImpossibleClassIsNotNamed) {
  for (const char* line : {"conv2d os=2 x=[1] w=[1]", "conv2d os=2 x=[1] w=[1] bias=[0]"}) {
    const ConvProblem problem = parse_problem(line);
    const MismatchCause found = classify_mismatches(problem, {}, tensor(problem, {0}), tensor(problem, {1}));
    EXPECT_EQ(name(found.cls), name(Class::tie)) << line << ": " << found.exchanged;
  }
}

TEST(ClassifyMismatches, AContractThatTheSubjectDoesNotFollowDropsNoExchange) {
  // The value is 58.5 with exact sums, which the subject rounds to 59, and 31.999 with pairs that saturate.
  const ConvProblem problem = parse_problem("conv2d in_channels=2 os=1024 x=[252,225] w=[127,124]");
  const std::array<Contract, 2> either{Contract{{.products = Arithmetic::Products::int16_pairs}, tensor(problem, {32})},
                                       Contract{{}, tensor(problem, {58})}};
  PossibleCauses causes;
  causes.observe(problem, either, tensor(problem, {59}));
  EXPECT_EQ(name(causes.conclude(1).cls), name(Class::tie)) << causes.conclude(1).exchanged;
}

TEST(ClassifyMismatches, NoCauseIsNamedIfTheReferenceIsNotReproduced) {
  const ConvProblem problem = parse_problem("conv2d os=2 x=[1] w=[1]");
  EXPECT_EQ(classify_mismatches(problem, {}, tensor(problem, {5}), tensor(problem, {1})).cls, Class::unexplained);
}

}  // namespace
}  // namespace tieout
