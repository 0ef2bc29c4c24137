#include "props/explain/explain.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "cases/contents.h"
#include "cases/testing/parsed.h"
#include "cases/text/case_text.h"

namespace tieout {
namespace {

Explanation explained(const std::string& line, const std::vector<std::string_view>& names) {
  HypothesisList list;
  for (const std::string_view name : names) list.push_back(find_hypothesis(name));
  return explain(parse_problem(line), 0, list, Columns::all);
}

std::string parted_at(const ExplainedColumn& column) {
  return column.parted ? column.steps[*column.parted].name : "nowhere";
}

// 0.1F * 0.5 / 0.1 is above 0.5 in float64. The accumulator, 0.05, is in another unit than the 1 of the integers and
// does not contradict it.
TEST(Explain, MarksTheFirstStepThatPartsInTheSameUnit) {
  const Explanation e = explained("conv2d xs=0.1 ws=[0.5] os=0.1 x=[1] w=[1]", {"integer_float32", "manual_output_1"});
  ASSERT_EQ(e.columns.size(), 2U);
  EXPECT_FALSE(e.columns[0].parted);
  EXPECT_EQ(parted_at(e.columns[1]), "scaled");
  EXPECT_EQ(e.columns[0].tie, (TieDistance{0, 0}));
  // The value is above the tie by 2^-27; a float32 steps by 2^-24 there.
  EXPECT_EQ(e.columns[1].tie, (TieDistance{0x1p-27, 0.125}));
}

// oneDNN adds the zero point before it rounds, so that its 131 does not contradict a rounded 3.
TEST(Explain, DoesNotCompareWithAndWithoutTheZeroPoint) {
  const Explanation e = explained("conv2d oz=128 x=[3] w=[1]", {"integer_float32", "onednn"});
  ASSERT_EQ(e.columns.size(), 2U);
  EXPECT_EQ(parted_at(e.columns[1]), "nowhere");
}

TEST(Explain, MarksPairsThatSaturate) {
  const std::string line = "conv2d in_channels=2 os=512 x=[2*255] w=[2*127]";
  const Explanation e = explained(line, {"integer_float32", "integer_int16_pairs"});
  EXPECT_EQ(e.pairs, (std::vector<ExplainedPair>{{64770, 32767}}));
  ASSERT_EQ(e.columns.size(), 2U);
  EXPECT_EQ(parted_at(e.columns[1]), "accumulator");
}

TEST(Explain, AnOddLastProductIsAPairByItself) {
  const Explanation e = explained("conv2d in_channels=3 x=[1,2,3] w=[1,1,-1]", {"integer_float32"});
  EXPECT_EQ(e.pairs, (std::vector<ExplainedPair>{{3, 3}, {-3, -3}}));
}

TEST(Explain, HypothesesThatDoTheSameShareAColumn) {
  const Explanation e =
      explained("conv2d x=[2] w=[3]", {"integer_float32", "integer_separate_bias", "manual_output_1"});
  // With scales of 1, the accumulator in float equals that of the integers.
  ASSERT_EQ(e.columns.size(), 1U);
  EXPECT_EQ(e.columns[0].alike, (std::vector<std::string>{"integer_separate_bias", "manual_output_1"}));
}

TEST(Explain, OthersWithTheSameResultAreNamedAndNotShown) {
  const ConvProblem p = parse_problem("conv2d xs=0.1 ws=[0.5] os=0.1 x=[1] w=[1]");
  const Explanation e = explain(p, 0, explained_order(), Columns::deciding);
  ASSERT_GE(e.columns.size(), 3U);
  EXPECT_EQ(e.columns[0].name, "integer_float32");
  EXPECT_EQ(e.columns[1].name, "manual_output_1");
  EXPECT_EQ(e.columns[2].name, "manual_output_2");
  std::size_t named = e.same_result.size();
  for (const ExplainedColumn& column : e.columns) named += 1 + column.alike.size();
  EXPECT_EQ(named, hypotheses().size());
  EXPECT_NE(std::find(e.same_result.begin(), e.same_result.end(), "onednn"), e.same_result.end());
}

TEST(Explain, NoTiesWhereFloatsAreIntegers) {
  const Explanation e = explained("conv2d os=1e-30 x=[1] w=[1]", {"integer_float32"});
  EXPECT_FALSE(e.columns[0].tie);
}

// The third element is the first tie; the first two are 2 for every hypothesis.
TEST(Explain, TheMostDisputedElementIsTheFirstOfTheWidest) {
  const ConvProblem p = parse_problem("conv2d input=1x4 xs=0.1 ws=[0.5] os=0.1 x=[4,4,1,1] w=[1]");
  const HypothesisList list{find_hypothesis("integer_float32"), find_hypothesis("manual_output_1")};
  EXPECT_EQ(most_disputed(p, list), 2);
  EXPECT_EQ(most_disputed(parse_problem("conv2d input=1x2 x=[1,1] w=[1]"), list), 0);
}

TEST(OffsetAt, ReadsAnIndexOrSaysWhatIsAllowed) {
  const ConvCase c = parse("conv2d batch=2 out_channels=3 input=4x5").value();
  EXPECT_EQ(offset_at("1,2,3,4", c), 119);
  EXPECT_EQ(offset_at("0,0,1,0", c), 5);
  const auto message = [&](std::string_view at) { return offset_at(at, c).error().text(); };
  EXPECT_EQ(message("0,0,0"), "--at: must be 4 integers n,c,y,x, is '0,0,0'");
  EXPECT_EQ(message("0,0,0,0,0"), "--at: must be 4 integers n,c,y,x, is '0,0,0,0,0'");
  EXPECT_EQ(message("0,0,,0"), "--at: must be integers n,c,y,x, is '0,0,,0'");
  EXPECT_EQ(message(""), "--at: must be integers n,c,y,x, is ''");
  EXPECT_EQ(message("2,0,0,0"), "--at: n must be 0..1, is 2");
  EXPECT_EQ(message("0,0,4,0"), "--at: y must be 0..3, is 4");
  EXPECT_EQ(message("0,0,0,-1"), "--at: x must be 0..4, is -1");
  EXPECT_EQ(offset_at("0,0,9,0,0", parse("conv3d input=2").value()).error().text(), "--at: z must be 0..1, is 9");
}

}  // namespace
}  // namespace tieout
