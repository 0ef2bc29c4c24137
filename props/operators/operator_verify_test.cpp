// Tests the verdict on cases of operators and their shrinking, on references that are made wrong on
// purpose.

#include "props/operators/operator_verify.h"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "cases/operators/operator_text.h"
#include "kernels/operators/operator_kernel.h"
#include "props/operators/operator_shrink.h"
#include "props/verify/stand_in_reference.h"
#include "reports/formats/finding_text.h"

namespace tieout {
namespace {

using testing::HasSubstr;

// The last of 65 equal elements is computed by scalar code, the others by vector code.
constexpr const char* kTail = "add shape=65 xs=0.0466264933 xz=[88,209] os=0.0932529867 oz=228 x=[65*4] x2=[65*188]";

OperatorCase parsed(const std::string& line) { return parse_operator(line).value(); }

StandInReference operators_by(const StandInReference::SpoilOperator& spoil) { return StandInReference({}, spoil); }

TEST(OperatorVerify, ACorrectReferencePassesAndDepartsFromTheContract) {
  StandInReference honest;
  const Verdict verdict = verify_operator(parsed(kTail), honest);
  EXPECT_EQ(verdict.status, Status::passed);
  EXPECT_EQ(verdict.elements, 65);
  EXPECT_EQ(verdict.departure.elements, 64);
  EXPECT_EQ(verdict.departure.here, 176);
  EXPECT_EQ(verdict.departure.there, 175);
  EXPECT_EQ(verdict.departure.cause, "LibTorch's vector code of add rounds differently");
  EXPECT_EQ(verdict.expected.values[64], 175);
}

TEST(OperatorVerify, NamesTheOtherCode) {
  StandInReference exact =
      operators_by([](const OperatorCase& c, const OperatorOutput&) { return operator_kernel(c); });
  const Verdict verdict = verify_operator(parsed(kTail), exact);
  ASSERT_EQ(verdict.status, Status::differed);
  EXPECT_EQ(verdict.finding.mismatch_class, kOtherCode);
  EXPECT_EQ(verdict.finding.explained, 64);
  EXPECT_EQ(verdict.finding.case_line, print(parsed(kTail)));
  ASSERT_EQ(verdict.finding.elements.size(), 20U);
  EXPECT_EQ(verdict.finding.elements[0].expected, 175);
  EXPECT_EQ(verdict.finding.elements[0].actual, 176);
  EXPECT_EQ(verdict.finding.elements[0].scaled, -52.5F);
  const std::string text = finding_text(verdict.finding);
  EXPECT_THAT(text, HasSubstr("prediction and aten differ at 64 of 65 elements, by up to 1\n"));
  EXPECT_THAT(text, HasSubstr("class: vector and scalar code (elements are computed by the other code than"));
  EXPECT_THAT(text, HasSubstr("\nreplay: tieout check 'add shape=65 "));
}

EngineResult<OperatorOutput> two_more_above_200(const OperatorCase& c, OperatorOutput y) {
  for (std::size_t i = 0; i < y.values.values.size(); ++i) {
    if (c.inputs.front().contents.values[i] > 200) y.values.values[i] = (y.values.values[i] + 2) % 256;
  }
  return y;
}

TEST(OperatorVerify, OtherDifferencesAreUnexplained) {
  StandInReference wrong = operators_by(two_more_above_200);
  const OperatorCase c = parsed("relu shape=1x3x2x2 x=[3,201,200,9*5]");
  for (const Verdict& verdict : {verify_operator(c, wrong), verify_operator_alone(c, wrong)}) {
    EXPECT_EQ(verdict.status, Status::differed);
    EXPECT_EQ(verdict.finding.mismatch_class, "unexplained");
    EXPECT_EQ(verdict.finding.explained, 0);
    ASSERT_EQ(verdict.finding.elements.size(), 1U);
    EXPECT_EQ(verdict.finding.elements.front().offset, 1);
    EXPECT_EQ(cell_of(c), (Cell{"aten", "its own", "relu", "per_tensor", "no bias"}));
  }
}

TEST(OperatorVerify, RefusalsShapesAndCrashesAreFindings) {
  StandInReference refuses = operators_by([](auto&, auto&&) -> EngineResult<OperatorOutput> {
    return tl::unexpected(EngineError{EngineError::Kind::refused, "not today"});
  });
  EXPECT_EQ(verify_operator(parsed("relu"), refuses).finding.failure, "refused: not today");
  StandInReference lacks = operators_by([](auto&, auto&&) -> EngineResult<OperatorOutput> {
    return tl::unexpected(EngineError{EngineError::Kind::absent, "no such operator"});
  });
  EXPECT_EQ(verify_operator(parsed("relu"), lacks).status, Status::unavailable);
  StandInReference flat = operators_by([](auto&, OperatorOutput y) {
    y.values.shape = {element_count(y.values.shape)};
    return y;
  });
  EXPECT_EQ(verify_operator(parsed("relu shape=2x2"), flat).finding.failure, "answered in another shape");
  StandInReference dies = operators_by([](auto&, auto&&) -> EngineResult<OperatorOutput> { std::abort(); });
  const Verdict verdict = verify_operator_alone(parsed("relu"), dies);
  EXPECT_EQ(verdict.status, Status::crashed);
  EXPECT_EQ(verdict.finding.failure, "died: SIGABRT");
}

TEST(OperatorVerify, NamesTheConditionsThatChangeAnAnswer) {
  // 32,832 elements are 513 steps of vector code; the halves of two threads are not.
  const OperatorCase c = with_contents(
      parsed("add shape=32832 xs=0.0466264933 xz=[88,209] os=0.0932529867 oz=228 x=[32832*4] x2=[32832*188]"));
  StandInReference honest;
  const std::vector<Departure> departures =
      departures_elsewhere(c, honest.hardware(), verify_operator(c, honest).expected);
  ASSERT_EQ(departures.size(), 2U);
  EXPECT_EQ(departures[0].cause, "with 2 threads");
  EXPECT_EQ(departures[0].elements, 64);
  EXPECT_EQ(departures[0].offset, 16384);
  EXPECT_EQ(departures[1].cause, "at other places in memory");
  EXPECT_EQ(departures[1].elements, 32832);
  const OperatorCase exact = parsed("relu shape=65 x=uniform");
  EXPECT_TRUE(departures_elsewhere(exact, honest.hardware(), verify_operator(exact, honest).expected).empty());
}

TEST(OperatorShrink, LeavesWhatIsNeeded) {
  StandInReference wrong = operators_by(two_more_above_200);
  const std::string drawn =
      "clamp shape=2x5x7x3 xs=0.37 xz=9 min=-1.5 max=80 x=uniform seed=5 threads=3 format=channels_last";
  const Verdict verdict = verify_operator(parsed(drawn), wrong);
  ASSERT_EQ(verdict.status, Status::differed);
  const Finding small = shrink_operator_finding(verdict.finding, wrong, 60, Effort::thorough);
  const OperatorCase c = parsed(small.case_line);
  EXPECT_EQ(element_count(c.inputs.front().shape), 1) << small.case_line;
  EXPECT_EQ(c.threads, 1);
  EXPECT_EQ(c.memory_format, MemoryFormat::contiguous);
  EXPECT_EQ(small.original_line, print(parsed(drawn)));
  EXPECT_EQ(small.elements.size(), 1U);
}

TEST(OperatorShrink, KeepsBroadcastInputsTogether) {
  const OperatorCase c = parsed("add shape=2x3x4 shape2=3x1 x=uniform x2=uniform seed=1");
  const OperatorCase small = shrink_operator_case(c, [&](const OperatorCase& one) {
    EXPECT_TRUE(validate(one));
    return element_count(one.inputs[0].shape) >= 3;
  });
  EXPECT_LE(element_count(small.inputs[0].shape), 4);
  EXPECT_EQ(small.inputs[0].contents.values, std::vector<std::uint8_t>(small.inputs[0].contents.values.size(), 0));
}

}  // namespace
}  // namespace tieout
