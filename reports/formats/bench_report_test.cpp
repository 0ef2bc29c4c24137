#include "reports/formats/bench_report.h"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

namespace tieout {
namespace {

using testing::HasSubstr;

BenchReport bench_sample() {
  BenchReport report{.cpu = "a CPU",
                     .libtorch = "2.15.0",
                     .isa = "avx2, int16_pairs",
                     .engines = "avx2",
                     .seconds_each = 0.01,
                     .repetitions = 9,
                     .runs = {}};
  // One layer is 4 times as fast as the faster engine, and one that occurs twice is half as fast: the cube root of 4 *
  // 1/2 * 1/2 is 1.
  report.runs = {{.threads = 1,
                  .layers = {{.network = "net",
                              .name = "1x1 64-64 in 7",
                              .count = 1,
                              .multiply_adds = 1000000,
                              .ours = 1e-5,
                              .fbgemm = 5e-5,
                              .onednn = 4e-5,
                              .peak = 2e11,
                              .equal = true},
                             {.network = "net",
                              .name = "dw 3x3 64 in 7",
                              .count = 2,
                              .multiply_adds = 1000000,
                              .ours = 4e-5,
                              .fbgemm = 2e-5,
                              .onednn = 3e-5,
                              .peak = 1e11,
                              .equal = false}}}};
  return report;
}

TEST(BenchReport, MeanIsGeometricAndCountsOccurrences) {
  EXPECT_NEAR(geometric_mean(bench_sample().runs.front().layers), 1.0, 1e-12);
  EXPECT_EQ(geometric_mean({}), 0);
}

TEST(BenchReport, ALayerIsALine) {
  const BenchReport report = bench_sample();
  EXPECT_EQ(bench_line(report.runs.front().layers[0]),
            "1x1 64-64 in 7               1  0.0010      10.0      50.0      40.0    4.00   50 %\n");
  EXPECT_EQ(bench_line(report.runs.front().layers[1]),
            "dw 3x3 64 in 7               2  0.0010      40.0      20.0      30.0    0.50   25 %  differs\n");
}

TEST(BenchReport, SummaryEndsWithTheMean) {
  BenchReport report = bench_sample();
  EXPECT_EQ(bench_summary(report),
            "all of net                   3  0.0030      90.0      90.0     100.0    1.00   28 %\n"
            "geometric mean against the faster of FBGEMM and ONEDNN: 1.00\n");
  report.runs.push_back(report.runs.front());
  report.runs.back().threads = 2;
  for (BenchLayer& layer : report.runs.back().layers) layer.ours /= 2;
  const std::string text = bench_summary(report);
  EXPECT_THAT(text, HasSubstr("net                   2           45.0  2.00         90.0  1.00        100.0  1.00\n"));
  std::istringstream lines(text + bench_head(report));
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 96U) << line;
}

TEST(BenchReport, JsonHasEveryNumber) {
  const auto json = nlohmann::json::parse(bench_json(bench_sample()));
  EXPECT_EQ(json["runs"][0]["threads"], 1);
  const auto& layer = json["runs"][0]["layers"][1];
  EXPECT_EQ(layer["name"], "dw 3x3 64 in 7");
  EXPECT_EQ(layer["count"], 2);
  EXPECT_NEAR(layer["ratio"].get<double>(), 0.5, 1e-12);
  EXPECT_EQ(layer["equal"], false);
}

}  // namespace
}  // namespace tieout
