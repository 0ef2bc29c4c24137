// Tests the table of a report in every format that shows it.

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "reports/data/report.h"
#include "reports/formats/finding_text.h"
#include "reports/formats/html/html.h"
#include "reports/formats/json.h"
#include "reports/formats/markdown.h"

namespace tieout {
namespace {

using testing::HasSubstr;
using testing::Not;

Report report_with_table() {
  RunSummary run{.command = "tieout identify", .subject = "fbgemm"};
  run.cases.passed = 3;
  Report report = make_report({run});
  report.table = {.title = "Hypotheses",
                  .columns = {"hypothesis", "verdict"},
                  .rows = {{"exact", "standing"}, {"a|<b>", "refuted"}}};
  report.headline = "1 of 2 hypotheses refuted";
  return report;
}

TEST(ReportTable, IsInEveryFormat) {
  const Report report = report_with_table();
  const auto json = nlohmann::json::parse(tieout::json(report));
  EXPECT_EQ(json["verdict"], "1 of 2 hypotheses refuted");
  EXPECT_EQ(json["table"]["columns"], nlohmann::json({"hypothesis", "verdict"}));
  EXPECT_EQ(json["table"]["rows"][1][0], "a|<b>");
  const std::string text = markdown(report);
  EXPECT_THAT(text, HasSubstr("## Hypotheses\n\n| hypothesis | verdict |\n|---|---|\n| exact | standing |\n"));
  EXPECT_THAT(text, Not(HasSubstr("| a|<b> |")));  // an unescaped | would begin another cell
  const std::string page = html(report);
  EXPECT_THAT(page, HasSubstr("<td>exact</td><td>standing</td>"));
  EXPECT_THAT(page, HasSubstr("<td>a|&lt;b&gt;</td>"));
  EXPECT_THAT(page, HasSubstr("<a href=\"#table\">Hypotheses</a>"));
  EXPECT_EQ(findings_text(report), "Hypotheses\nhypothesis  verdict\nexact       standing\na|<b>       refuted\n");
}

TEST(ReportTable, IsOmittedIfEmpty) {
  const Report report = make_report({RunSummary{}});
  EXPECT_FALSE(nlohmann::json::parse(json(report)).contains("table"));
  EXPECT_THAT(html(report), Not(HasSubstr("id=\"table\"")));
  EXPECT_EQ(findings_text(report), "");
}

// This is what selftest reports about a fault that it missed.
TEST(ReportTable, AFindingWithoutACaseHasNoReplay) {
  const Finding missed{.expected_name = "tieout", .failure = "missed the planted fault wrong_bias"};
  EXPECT_EQ(finding_text(missed), "tieout missed the planted fault wrong_bias\n");
}

}  // namespace
}  // namespace tieout
