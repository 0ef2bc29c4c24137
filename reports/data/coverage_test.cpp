#include "reports/data/coverage.h"

#include <gtest/gtest.h>

#include "reports/data/trend.h"

namespace tieout {
namespace {

TEST(Coverage, SumsUpGranularityAndBias) {
  RunSummary run;
  run.cells[{.engine = "fbgemm", .isa = "avx2", .path = "im2col", .granularity = "per_channel", .bias = "bias"}] = {
      .cases = 1, .elements = 10, .differed = 1, .classes = {{"tie", 1}, {"relu", 1}}};
  run.cells[{.engine = "fbgemm", .isa = "avx2", .path = "im2col", .granularity = "per_tensor", .bias = "none"}] = {
      .cases = 2, .elements = 20, .differed = 0, .classes = {{"tie", 2}}};
  run.cells[{.engine = "fbgemm", .isa = "avx512", .path = "im2col", .granularity = "per_tensor", .bias = "none"}] = {};
  const std::vector<CoverageRow> rows = coverage(run);
  ASSERT_EQ(rows.size(), 2U);
  const CellCounts both{.cases = 3, .elements = 30, .differed = 1, .classes = {{"relu", 1}, {"tie", 3}}};
  EXPECT_EQ(rows[0], (CoverageRow{"fbgemm", "avx2", "im2col", both}));
  EXPECT_EQ(rows[1], (CoverageRow{"fbgemm", "avx512", "im2col", {}}));
}

TEST(Trend, DistinguishesNewRepeatedAndResolvedFindings) {
  Report report;
  report.runs.resize(4);
  report.findings = {{.finding = {}, .runs = {0, 1, 3}, .known = {}}, {.finding = {}, .runs = {1}, .known = {}}};
  EXPECT_EQ(trend(report), (std::vector<TrendPoint>{{.first = 1, .again = 0, .resolved = 0},
                                                    {.first = 1, .again = 1, .resolved = 0},
                                                    {.first = 0, .again = 0, .resolved = 2},
                                                    {.first = 0, .again = 1, .resolved = 0}}));
}

}  // namespace
}  // namespace tieout
