// Tests that the report formats show findings of operators other than convolutions.

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <bit>

#include "reports/data/small_case.h"
#include "reports/formats/finding_text.h"
#include "reports/formats/html/html.h"
#include "reports/formats/json.h"
#include "reports/formats/markdown.h"

namespace tieout {
namespace {

using testing::HasSubstr;

Finding finding_of_add() {
  return {.case_line = "add shape=2 os=0.5 x=[1,2] x2=[3,4]",
          .original_line = "add shape=2 os=0.5 x=[1,2] x2=[3,4]",
          .expected_name = "aten",
          .actual_name = "prediction",
          .expected = {{2}, {8, 12}},
          .actual = {{2}, {8, 11}},
          .elements = {{.offset = 1, .expected = 12, .actual = 11, .scaled = 11.5F}},
          .mismatch_class = "vector and scalar code",
          .cell = {.engine = "aten", .isa = "its own", .path = "add"}};
}

RunSummary run_of(const Finding& finding) {
  RunSummary run{.command = "tieout fuzz --operator add", .reference = "LibTorch"};
  run.cases = {.differed = 1};
  run.cells = {{finding.cell, {.cases = 1, .elements = 2, .differed = 1}}};
  run.differences = {{finding.mismatch_class, 1}};
  run.findings = {finding};
  return run;
}

TEST(OperatorFinding, HasNoAccumulators) {
  EXPECT_EQ(finding_text(finding_of_add()),
            "aten:\n tensor([ 8, 12], dtype=torch.uint8)\n"
            "prediction:\n tensor([ 8, 11], dtype=torch.uint8)\n"
            "prediction and aten differ at 1 of 2 elements, by up to 1\n"
            "class: vector and scalar code\n"
            "index                    expected       actual  before rounding\n"
            "[1]                            12           11             11.5\n"
            "replay: tieout check 'add shape=2 os=0.5 x=[1,2] x2=[3,4]'\n");
  EXPECT_THAT(markdown(make_report({run_of(finding_of_add())})), HasSubstr("| `[1]` | 12 | 11 | - | 11.5 |\n"));
}

TEST(OperatorFinding, IsInEveryFormat) {
  const Report report = make_report({run_of(finding_of_add())});
  EXPECT_THAT(json(report), HasSubstr("add shape=2 os=0.5 x=[1,2] x2=[3,4]"));
  EXPECT_THAT(html(report), HasSubstr("</html>"));
}

TEST(OperatorFinding, FloatsAreShownAsNumbers) {
  Finding finding = finding_of_add();
  finding.case_line = "dequantize shape=2 xs=0.5 x=[1,2]";
  finding.expected.values = {std::bit_cast<std::int32_t>(0.5F), std::bit_cast<std::int32_t>(1.0F)};
  finding.actual.values = {std::bit_cast<std::int32_t>(0.5F), std::bit_cast<std::int32_t>(1.5F)};
  finding.elements = {{.offset = 1, .expected = finding.expected.values[1], .actual = finding.actual.values[1]}};
  EXPECT_EQ(output_type(finding), OutputType::int32);
  EXPECT_THAT(finding_text(finding), testing::AllOf(HasSubstr("tensor([0.5000, 1.5000])\n"),
                                                    HasSubstr("[1]                             1          1.5 ")));
}

TEST(OperatorFinding, LinesOfRecordsAreChecked) {
  EXPECT_TRUE(is_case_line("add shape=2 os=0.5 x=[1,2] x2=[3,4]"));
  EXPECT_FALSE(is_case_line("add shape=2 os=0.5 x=[1]"));
  EXPECT_FALSE(is_case_line("address shape=2"));
  EXPECT_TRUE(small_case("add shape=2 x=[1,2] x2=[3,4]", 6));
  EXPECT_FALSE(small_case("add shape=2 x=[1,2] x2=[3,4]", 5));
  EXPECT_FALSE(small_case("add shape=100000 x=uniform x2=uniform", 1000));
}

}  // namespace
}  // namespace tieout
