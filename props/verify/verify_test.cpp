// Tests the verdict on references that are made wrong on purpose: a difference must never pass.

#include "props/verify/verify.h"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <functional>

#include "cases/contents.h"
#include "cases/text/case_text.h"
#include "props/verify/stand_in_reference.h"
#include "reports/formats/finding_text.h"

namespace tieout {
namespace {

using testing::HasSubstr;

ConvCase small_case() {
  return {.in_channels = 4,
          .out_channels = 3,
          .input = {1, 5, 4},
          .kernel = {1, 2, 2},
          .output_scale = 100,
          .output_zero_point = 128,
          .seed = 3};
}

TEST(Verify, ACorrectReferencePasses) {
  StandInReference honest;
  const Verdict verdict = verify(small_case(), honest);
  EXPECT_EQ(verdict.status, Status::passed);
  EXPECT_EQ(verdict.elements, 3 * 4 * 3);
}

TEST(Verify, ReportsOneWrongElement) {
  StandInReference wrong([](const ConvProblem&, EngineAnswer answer) {
    answer.y.values.back() ^= 1U;
    return answer;
  });
  for (const Verdict& verdict : {verify(small_case(), wrong), verify_alone(small_case(), wrong)}) {
    EXPECT_EQ(verdict.status, Status::differed);
    ASSERT_EQ(verdict.finding.elements.size(), 1U);
    EXPECT_EQ(verdict.finding.elements.front().offset, 35);
    EXPECT_EQ(verdict.finding.case_line, print(small_case()));
  }
}

TEST(Verify, ReportsAnotherShapeOrEngine) {
  StandInReference short_of_one([](const ConvProblem&, EngineAnswer answer) {
    answer.y.shape.back() -= 1;
    answer.y.values.resize(static_cast<std::size_t>(element_count(answer.y.shape)));
    return answer;
  });
  EXPECT_EQ(verify(small_case(), short_of_one).status, Status::differed);
  StandInReference by_another([](const ConvProblem&, EngineAnswer answer) {
    answer.picked = Engine::qnnpack;
    return answer;
  });
  EXPECT_EQ(verify(small_case(), by_another).status, Status::differed);
}

TEST(Verify, ReportsAnUnexpectedRefusal) {
  StandInReference refusing([](const ConvProblem&, const EngineAnswer&) -> EngineResult<EngineAnswer> {
    return tl::unexpected(EngineError{EngineError::Kind::refused, "not today"});
  });
  const Verdict verdict = verify(small_case(), refusing);
  EXPECT_EQ(verdict.status, Status::differed);
  EXPECT_THAT(finding_text(verdict.finding), HasSubstr("fbgemm refused: not today"));
}

TEST(Verify, ReportsAnUnavailableEngine) {
  StandInReference honest;
  ConvCase c = small_case();
  c.execution.engine = Engine::qnnpack;
  EXPECT_EQ(verify(c, honest).status, Status::unavailable);
}

TEST(VerifyAlone, ReportsCrashesAndHangs) {
  StandInReference crashing([](const ConvProblem&, EngineAnswer answer) {
    raise(SIGSEGV);
    return answer;
  });
  const Verdict crash = verify_alone(small_case(), crashing);
  EXPECT_EQ(crash.status, Status::crashed);
  EXPECT_EQ(crash.reason, "SIGSEGV");
  StandInReference hanging([](const ConvProblem&, EngineAnswer answer) {
    for (;;) pause();
    return answer;
  });
  EXPECT_EQ(verify_alone(small_case(), hanging, 0.3).reason, "hang");
}

// The drawn case is shrunk to one element within a second, and the printed line reproduces the difference.
TEST(Reduce, GivesOneElementWhoseLineReplays) {
  StandInReference wrong(off_by_one);
  const Verdict verdict = verify(small_case(), wrong);
  ASSERT_EQ(verdict.status, Status::differed);
  const Finding small = shrink_finding(verdict.finding, wrong, 1);
  EXPECT_EQ(small.original_line, print(small_case()));
  const auto c = parse(small.case_line);
  ASSERT_TRUE(c);
  EXPECT_EQ(element_count(output_shape(*c)), 1) << small.case_line;
  EXPECT_EQ(verify_alone(*c, wrong).status, Status::differed) << small.case_line;
}

}  // namespace
}  // namespace tieout
