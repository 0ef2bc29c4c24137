// formats_test.py tests that the output is XML with correct sums; these are the other tests.

#include "reports/formats/junit.h"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include "reports/samples/sample_report.h"

namespace tieout {
namespace {

using testing::HasSubstr;
using testing::Not;

Report with_one_finding(const std::vector<KnownFinding>& baseline) {
  const Cell cell{.engine = "fbgemm", .isa = "avx2", .path = "im2col", .granularity = "per_tensor", .bias = "bias"};
  RunSummary run{.seed = 1};
  run.cases.passed = 4;
  run.cases.differed = 1;
  run.cells[cell] = {.cases = 5, .elements = 5, .differed = 1};
  run.differences = {{"died: SIGSEGV", 1}};
  run.findings = {{.case_line = "conv2d", .original_line = "conv2d", .failure = "died: SIGSEGV", .cell = cell}};
  return make_report({run}, baseline);
}

TEST(Junit, AFindingFailsItsTestCase) {
  const std::string xml = junit(with_one_finding({}));
  EXPECT_THAT(xml, HasSubstr("<testcase classname=\"tieout.fbgemm.avx2\" name=\"im2col\" time=\"0\">\n"
                             "      <failure message=\"1 finding\" type=\"died: SIGSEGV\">"));
}

TEST(Junit, AKnownFindingIsNamedAndFailsNothing) {
  const std::string xml = junit(with_one_finding({{.kind = "died: SIGSEGV"}}));
  EXPECT_THAT(xml, Not(HasSubstr("<failure")));
  EXPECT_THAT(xml, HasSubstr("<system-out>known findings:\nexpected died: SIGSEGV\n"));
}

TEST(Junit, DifferencesThatWereNotKeptFail) {
  Report report = with_one_finding({});
  report.runs.front().findings.clear();
  EXPECT_THAT(junit(report), HasSubstr("<failure message=\"1 case differed\" type=\"difference\">"));
}

TEST(Junit, ACrashWhereNothingWasVerifiedIsNotLost) {
  Report report = with_one_finding({});
  report.runs.front().cells.clear();
  const std::string xml = junit(report);
  EXPECT_THAT(xml, HasSubstr("type=\"died: SIGSEGV\""));
  EXPECT_THAT(xml, HasSubstr("type=\"vacuous\""));  // no elements were compared
}

TEST(Junit, CasesWithoutAVerdictForLackOfMemoryFail) {
  Report report = with_one_finding({});
  EXPECT_THAT(junit(report), Not(HasSubstr("type=\"no resources\"")));
  report.runs.front().cases.no_resources = 2;
  EXPECT_THAT(junit(report), HasSubstr("<failure message=\"2 cases without a verdict\" type=\"no resources\">"));
}

// Each suite has the departures of its run, and they are no failures.
TEST(Junit, DeparturesAreInTheOutputOfTheRun) {
  RunSummary first{.cells = {{{.path = "im2col"}, {.cases = 1, .elements = 9}}}};
  first.cases.passed = 1;
  RunSummary second = first;
  second.departures = {{"pairs < saturate", {.cases = 1, .elements = 2}}};
  second.accepted_deviations = {{"follows exact sums", 3}};
  const std::string xml = junit(make_report({first, second}));
  EXPECT_THAT(
      xml, HasSubstr("name=\"something was verified\" time=\"0\">\n"
                     "      <system-out>2 elements in 1 case are equal to LibTorch&#39;s values but not to the exact "
                     "contract&#39;s, because pairs &lt; saturate.\n"
                     "3 cases count as equal although some values are not LibTorch&#39;s, because the subject follows "
                     "exact sums.\n</system-out>"))
      << xml;
  EXPECT_THAT(xml, HasSubstr("name=\"something was verified\" time=\"0\"/>")) << "the first run has no departures";
  EXPECT_THAT(xml, Not(HasSubstr("<failure")));
}

TEST(Junit, CellsWithoutCasesAreSkippedAndMissedClassesFail) {
  Report report = with_one_finding({});
  report.runs.front().cells[{.engine = "x86"}] = {};
  report.runs.front().missing_classes = report.total.missing_classes = {"tie"};
  const std::string xml = junit(report);
  EXPECT_THAT(xml, HasSubstr("<skipped message=\"no case reached it\"/>"));
  EXPECT_THAT(xml, HasSubstr("<testcase classname=\"tieout.class\" name=\"tie\" time=\"0\">\n      <failure "));
}

}  // namespace
}  // namespace tieout
