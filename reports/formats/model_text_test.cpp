#include "reports/formats/model_text.h"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

namespace tieout {
namespace {

using testing::HasSubstr;
using testing::Not;

ModelReport report() {
  return {.columns = {{Column::Kind::kernel, "kernel"},
                      {Column::Kind::hypothesis, "manual_output_1"},
                      {Column::Kind::subject, "mine"}},
          .layers = {{.name = "features.0",
                      .op = "conv2d_relu",
                      .geometry = "k3x3 s2x2 p1x1",
                      .output = {2, 32, 112, 112},
                      .engine = "fbgemm",
                      .path = "im2col",
                      .saturation = PairSaturation::possible,
                      .elements = 802816,
                      .columns = {{}, {.differing = 5, .largest = 1, .by_class = {{"tie", 5}}}, {}},
                      .forecasts = {{"avx2", 7, 3}}},
                     {.name = "head",
                      .geometry = "k1x1",
                      .output = {2, 8, 1, 1},
                      .engine = "fbgemm",
                      .path = "pointwise",
                      .elements = 16,
                      .columns = {{}, {}, {.differing = 2, .largest = 9, .by_class = {{"unexplained", 2}}}}}},
          .unverified = {{"quantized::add", 10}}};
}

TEST(ModelText, TableByLayer) {
  EXPECT_EQ(layer_table(report()),
            "layer      output       kernel         path      saturates   elements\n"
            "features.0 2x32x112x112 k3x3 s2x2 p1x1 im2col    possible      802816\n"
            "  manual_output_1                       5 differ, by up to 1: tie\n"
            "head       2x8x1x1      k1x1           pointwise no                16\n"
            "  mine                                  2 differ, by up to 9: unexplained\n"
            "total      2 layers                                            802832\n");
}

TEST(ModelText, TotalsEndWithTheHypotheses) {
  EXPECT_EQ(totals_text(report()),
            "kernel differs at 0 of 802832 elements in 0 of 2 layers\n"
            "mine differs at 2 of 802832 elements in 1 of 2 layers\n"
            "manual_output_1 differs at 5 of 802832 elements in 1 of 2 layers\n");
}

TEST(ModelText, UnansweredLayersAreNotCountedAsEqual) {
  ModelReport r = report();
  r.run.cases.passed = 8;
  r.columns[2].answered = 2;
  EXPECT_THAT(totals_text(r), HasSubstr("mine differs at 2 of 802832 elements in 1 of 2 layers (6 not answered)\n"));
}

TEST(ModelText, WrongSumsAreReportedAsTheKernels) {
  ModelReport r = report();
  r.layers.front().wrong_sums = 3;
  EXPECT_THAT(layer_table(r),
              HasSubstr("\n  kernel                                3 integer sums are not the sums of products\n"));
}

TEST(ModelText, OtherEnginesHaveNeitherPathsNorPairs) {
  ModelReport r = report();
  for (LayerReport& layer : r.layers) layer.engine = "qnnpack";
  EXPECT_THAT(layer_table(r), Not(HasSubstr("path")));
  EXPECT_EQ(forecast_text(r), "");
}

TEST(ModelText, ForecastsOtherCpus) {
  ModelReport r = report();
  EXPECT_EQ(forecast_text(r),
            "With these activations, the output of these layers would change on another CPU:\n"
            "  features.0: on avx2 7 of 802816 elements would differ, by up to 3\n");
  r.layers.front().forecasts = {{.isa = "avx512_vnni", .defect = "onednn_scale_order"}};
  EXPECT_THAT(forecast_text(r),
              HasSubstr("  features.0: on avx512_vnni LibTorch has the known defect onednn_scale_order\n"));
  r.layers.front().forecasts.clear();
  EXPECT_EQ(forecast_text(r), "With these activations, no layer's output would change on another CPU.\n");
  r.layers.front().largest_activation = 128;
  EXPECT_THAT(forecast_text(r), HasSubstr("reduce_range"));
}

TEST(ModelText, NamesUnverifiedOperators) {
  EXPECT_EQ(unverified_text(report()), "Not verified (calls):\n      10 quantized::add\n");
}

}  // namespace
}  // namespace tieout
