#include "reports/formats/exported_text.h"

#include <gtest/gtest.h>

namespace tieout {
namespace {

ExportedReport exported_sample() {
  ExportedReport report{.torch_version = "2.15.0", .eager_engine = "fbgemm"};
  report.layers = {{.name = "a",
                    .op = "conv2d",
                    .output = {1, 2, 3, 3},
                    .result = "uint8",
                    .lowered_to = "qconv_pointwise relu",
                    .elements = 18,
                    .lowered = {18, 2, 1, {{"near a tie", 2}}},
                    .eager = {18, 0, 0, {}},
                    .migrated = {18, 2, 1, {}},
                    .without_vnni = 4},
                   {.name = "b", .op = "conv3d", .result = "float32", .not_lowered = "a 3-d convolution"},
                   {.name = "c",
                    .op = "linear",
                    .output = {1, 4},
                    .result = "float32",
                    .lowered_to = "qlinear_pointwise",
                    .remark = "the program returns its result",
                    .no_eager = "its result is float32",
                    .lowered_bounds = "oneDNN chooses between two codes",
                    .elements = 4,
                    .lowered = {4, 1, 0.25, {{"unexplained", 1}}},
                    .unexplained = {0, 1, 0}}};
  report.columns = {{.kind = Column::Kind::kernel, .name = "kernel", .elements = 18, .differing = {2, 0, 0}},
                    {.kind = Column::Kind::hypothesis, .name = "hidden", .differing = {0, 2, 2}, .shown = false}};
  report.float_operators = {{"aten.mean.dim", 1}};
  report.ends = {
      {.column = "lowered", .layer = "all layers", .differing = 3, .elements = 4, .largest = 0.25, .rows = 1}};
  return report;
}

TEST(ExportedText, StatesWhatRunsAsInt8) {
  EXPECT_EQ(lowering_text(exported_sample()),
            "Lowered for x86, 2 of 3 layers with weights run as int8 operators.\n"
            "  b      not int8: a 3-d convolution\n"
            "  c      int8, with a result in float32: the program returns its result\n"
            "In float32 before and after lowering (operators):\n"
            "       1 aten.mean.dim\n");
}

TEST(ExportedText, ShowsTheWayFromEagerToLowered) {
  EXPECT_EQ(migration_table(exported_sample()),
            "layer  operator  output   result   eager -> exported  exported -> lowered    eager -> lowered\n"
            "a      conv2d    1x2x3x3  uint8    equal              2 of 18, by up to 1    2 of 18, by up to 1\n"
            "           2  near a tie\n"
            "           4  elements of the lowered answer change on a CPU without VNNI\n"
            "c      linear    1x4      float32  -                  1 of 4, by up to 0.25  -\n"
            "    no eager operator: its result is float32\n"
            "           1  unexplained\n"
            "    lowered answer checked by error bounds only: oneDNN chooses between two codes\n"
            "           1  lowered answers are not explained\n");
  const ReportedTable table = exported_table(exported_sample());
  ASSERT_EQ(table.rows.size(), 3U);
  EXPECT_EQ(table.rows[0].size(), table.columns.size());
  EXPECT_EQ(table.rows[1][3], "not lowered: a 3-d convolution");
}

TEST(ExportedText, NamesHypothesesThatAreEqualToAnAnswer) {
  EXPECT_EQ(arithmetic_table(exported_sample()),
            "Elements that differ from each answer, of 18 in the layers that have all three:\n"
            "              exported     lowered       eager\n"
            "  kernel             2           0           0\n"
            "  0 hypotheses equal all three answers\n"
            "  equal to exported, but not to all: hidden\n");
}

TEST(ExportedText, EndsWithTotals) {
  EXPECT_EQ(ends_text(exported_sample()),
            "At the end of the program, compared with its output as exported:\n"
            "  lowered  3 of 4 numbers differ, by up to 0.25; top-1 changes in 0 of 1 rows\n");
  EXPECT_EQ(exported_totals_text(exported_sample()),
            "exported: 22 elements, 0 unexplained\n"
            "lowered: 3 of 22 elements differ from exported, 1 unexplained; 1 layer predicted bit for bit, 1 layer "
            "checked by error bounds\n"
            "eager fbgemm: 0 of 18 elements differ from exported, 0 unexplained\n");
}

}  // namespace
}  // namespace tieout
