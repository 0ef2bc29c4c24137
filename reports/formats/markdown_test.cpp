#include "reports/formats/markdown.h"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include "reports/data/report.h"
#include "reports/formats/finding_text.h"

namespace tieout {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

RunSummary run_with_a_finding() {
  RunSummary run{.command = "tieout fuzz --cases 1234 --seed 7", .reference = "LibTorch", .seed = 7};
  run.cases = {.passed = 1233, .differed = 1, .skipped = 2};
  run.reasons = {{"no reason", 2}};
  const Cell cell{.engine = "fbgemm", .isa = "avx2", .path = "im2col", .granularity = "per_tensor", .bias = "no bias"};
  run.cells = {{cell, {.cases = 1234, .elements = 1234567, .differed = 1}}};
  run.findings = {{.case_line = "conv2d x=[1] w=[50]",
                   .original_line = "conv2d x=uniform w=uniform",
                   .expected = {{1, 1, 1, 1}, {1}},
                   .actual = {{1, 1, 1, 1}, {0}},
                   .elements = {{.offset = 0, .expected = 1, .actual = 0, .accumulator = 50, .scaled = 0.5F}},
                   .mismatch_class = "tie",
                   .derivation = "ties are rounded up",
                   .explained = 1,
                   .cell = cell}};
  run.seconds = 1.5;
  return run;
}

TEST(FindingText, HasTheDocumentsFormatAndTheElements) {
  EXPECT_EQ(finding_text(run_with_a_finding().findings.front()),
            "expected:\n tensor([[[[1]]]], dtype=torch.uint8)\n"
            "actual:\n tensor([[[[0]]]], dtype=torch.uint8)\n"
            "actual and expected differ at 1 of 1 element, by up to 1\n"
            "class: tie (ties are rounded up; that gives 1 of the 1 values)\n"
            "index                expected   actual  accumulator  before rounding\n"
            "[0, 0, 0, 0]                1        0           50              0.5\n"
            "replay: tieout check 'conv2d x=[1] w=[50]'\n");
}

TEST(FindingText, TheReplayNamesAnotherReference) {
  const Finding finding{.case_line = "conv2d",
                        .original_line = "conv2d batch=2",
                        .failure = "died: SIGSEGV",
                        .subject = "./mine.so",
                        .reference = "command:python3 its.py"};
  EXPECT_THAT(finding_text(finding),
              HasSubstr("replay: tieout check --subject ./mine.so --reference 'command:python3 its.py' conv2d\n"));
  EXPECT_EQ(replay_original(finding),
            "tieout check --subject ./mine.so --reference 'command:python3 its.py' 'conv2d batch=2'");
}

TEST(Markdown, GivesTheVerdictFirst) {
  const std::string text = markdown(make_report({run_with_a_finding()}));
  EXPECT_THAT(text, StartsWith("# Tieout: 1 of 1,234 cases differ, 2 skipped\n"));
  EXPECT_THAT(text, HasSubstr("| fbgemm | avx2 | im2col | 1,234 | 1,234,567 | 1 |"));
  EXPECT_THAT(text, HasSubstr("| fbgemm | avx2 | im2col | per_tensor | no bias | 1,234 | 1,234,567 | 1 |"));
  EXPECT_THAT(text, HasSubstr("tieout check 'conv2d x=uniform w=uniform'"));
  EXPECT_THAT(text, HasSubstr("| no reason | 2 |"));
}

// Departures are below the verdict and before the findings, however many findings there are.
TEST(Markdown, CountsDeparturesBelowTheVerdict) {
  RunSummary run = run_with_a_finding();
  EXPECT_THAT(markdown(make_report({run})), Not(HasSubstr("exact contract")));
  run.departures = {{"pairs *saturate*", {.cases = 3, .elements = 1500}}};
  run.accepted_deviations = {{"follows exact sums", 2}};
  Report report = make_report({run});
  report.findings.assign(1000, report.findings.front());
  const std::string text = markdown(report, kIssueBytes);
  EXPECT_EQ(
      text.find("# Tieout: 1 of 1,234 cases differ, 2 skipped\n\n"
                "- 1,500 elements in 3 cases are equal to LibTorch's values but not to the exact contract's, because "
                "pairs \\*saturate\\*.\n"
                "- 2 cases count as equal although some values are not LibTorch's, because the subject follows exact "
                "sums.\n\n"
                "Reference: "),
      0U)
      << text.substr(0, 600);
  run.accepted_deviations = {{std::string(kIssueBytes, 'x'), 2}};
  const std::string short_text = markdown(make_report({run}), kIssueBytes);
  EXPECT_THAT(short_text, HasSubstr("0 findings, 1 table.**")) << "nothing says that it was left out";
}

TEST(Markdown, StaysWithinItsLimitAndCountsOmissions) {
  Report report = make_report({run_with_a_finding()});
  const ReportedFinding finding = report.findings.front();
  report.findings.assign(1000, finding);
  const std::string text = markdown(report, kIssueBytes);
  EXPECT_LE(text.size(), kIssueBytes);
  EXPECT_GT(text.size(), kIssueBytes - 2000);  // one more finding would not fit
  std::int64_t shown = 0;
  for (std::size_t at = 0; (at = text.find("**fbgemm, avx2, im2col**", at)) != std::string::npos; ++at) ++shown;
  EXPECT_THAT(text, HasSubstr(std::to_string(1000 - shown) + " findings, 0 tables.**"));
  EXPECT_THAT(markdown(report), Not(HasSubstr("Left out")));
}

TEST(Markdown, OmitsOnlyTheFindingThatIsTooLong) {
  Report report = make_report({run_with_a_finding()});
  report.findings.push_back(report.findings.front());
  report.findings.front().finding.explanation.assign(100'000, 'x');
  const std::string text = markdown(report, kIssueBytes);
  EXPECT_THAT(text, HasSubstr("**fbgemm, avx2, im2col**"));
  EXPECT_THAT(text, HasSubstr("1 finding, 0 tables.**"));
}

TEST(Verdict, AnEmptyRunFails) {
  RunSummary run;
  EXPECT_EQ(exit_status(make_report({run})), 3);
  EXPECT_EQ(verdict(make_report({run})), "nothing was verified");
  run.cases.skipped = 5;
  EXPECT_EQ(exit_status(make_report({run})), 3);
  run.cases.passed = 1;  // a case without elements does not count as verification
  EXPECT_EQ(exit_status(make_report({run})), 3);
  run.cells[{.path = "im2col"}].elements = 1;
  EXPECT_EQ(exit_status(make_report({run})), 0);
  run.cases.crashed = 1;
  EXPECT_EQ(exit_status(make_report({run})), 1);
}

}  // namespace
}  // namespace tieout
