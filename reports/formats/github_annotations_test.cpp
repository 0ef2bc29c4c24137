#include "reports/formats/github_annotations.h"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "reports/samples/sample_report.h"

namespace tieout {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(GithubAnnotations, AnnotationsStayInTheirLines) {
  std::istringstream text(github_annotations(*sample_report("hostile")));
  int lines = 0;
  for (std::string line; std::getline(text, line); ++lines) {
    EXPECT_TRUE(line.starts_with("::error title=") || line.starts_with("::warning title=")) << line;
    EXPECT_THAT(line, Not(HasSubstr("\r")));
    const std::string title = line.substr(0, line.find("::", 2));
    EXPECT_EQ(title.find_first_of(",:", 2), std::string::npos) << title;
  }
  EXPECT_EQ(lines, 5);  // the verdict, a cause, two unknown findings and a known one
}

TEST(GithubAnnotations, CountsOmittedFindings) {
  Report report = *sample_report("hostile");
  report.total.causes.clear();
  const ReportedFinding fresh = report.findings.front();
  report.findings.assign(30, fresh);
  const std::string text = github_annotations(report);
  EXPECT_EQ(std::ranges::count(text, '\n'), 11);
  EXPECT_THAT(text, HasSubstr("::notice title=Tieout::21 findings not shown here"));
}

// Departures are in the verdict's annotation, because GitHub shows only ten annotations of a kind.
TEST(GithubAnnotations, DeparturesFollowTheVerdict) {
  const std::string text = github_annotations(*sample_report("equal"));
  EXPECT_EQ(std::ranges::count(text, '\n'), 1);
  EXPECT_THAT(
      text, HasSubstr("%0A4,127 elements in 310 cases are equal to LibTorch's values but not to the exact contract's, "
                      "because FBGEMM saturates pairs of products in 16 bits; that depends on the CPU.%0A"));
  EXPECT_THAT(text, HasSubstr("%0A95 cases count as equal although some values are not LibTorch's"));
}

TEST(GithubAnnotations, EqualityIsANoticeAndAnEmptyRunAnError) {
  EXPECT_TRUE(github_annotations(*sample_report("equal")).starts_with("::notice title=Tieout::"));
  EXPECT_EQ(github_annotations(*sample_report("unverified")),
            "::error title=Tieout::nothing was verified, 1 unavailable\n");
}

}  // namespace
}  // namespace tieout
