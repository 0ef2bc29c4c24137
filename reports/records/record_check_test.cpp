#include "reports/records/record_check.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "reports/data/small_case.h"

namespace tieout {
namespace {

struct Whole {
  RunSummary run;
  std::vector<RecordBlock> blocks;
};

Whole whole() {
  const Cell cell{.engine = "fbgemm", .isa = "avx2", .path = "im2col", .granularity = "per_tensor", .bias = "bias"};
  Whole whole;
  RunSummary& run = whole.run;
  run.shard = {.index = 1, .count = 3};
  run.cases = {.passed = 2, .differed = 1, .skipped = 1, .crashed = 1};
  run.reasons = {{"declined", 1}};
  run.differences = {{"tie", 1}, {"died: SIGSEGV", 1}};
  run.cells = {{cell, {.cases = 3, .elements = 12, .differed = 1, .classes = {{"tie", 3}}}}};
  run.findings = {{.case_line = "conv2d x=[1] w=[50]", .original_line = "conv2d seed=7"}};
  whole.blocks = {{.number = -1, .verdicts = ".", .counts = {}}, {.number = 4, .verdicts = ".DsC", .counts = {}}};
  return whole;
}

TEST(RecordCheck, AcceptsRecordsOfRuns) {
  const auto [run, blocks] = whole();
  EXPECT_EQ(find_record_error(run, blocks), "");
  EXPECT_EQ(find_record_error(RunSummary{}, {}), "");
}

TEST(RecordCheck, RefusesImpossibleRecords) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  const std::vector<std::function<void(Whole&)>> kWrongs{
      [](Whole& w) { w.run.shard = {.index = 3, .count = 3}; },
      [](Whole& w) { w.run.shard = {.index = 0, .count = 0}; },
      [](Whole& w) { w.run.shard = {.index = -1, .count = 3}; },
      [](Whole& w) { w.run.started = kMost; },
      [](Whole& w) { w.run.seconds = std::nan(""); },
      [](Whole& w) { w.run.seconds = 1e308; },
      [](Whole& w) { w.run.seconds_in_engine = -1; },
      [](Whole& w) { w.run.workers = -1; },
      [](Whole& w) { w.run.strategy_seconds["ties"] = std::numeric_limits<double>::infinity(); },
      [](Whole& w) {  // the sum is still right
        w.run.cases.passed = -1;
        w.run.cases.skipped = 4;
      },
      [](Whole& w) { w.run.cases.unavailable = kMost; },
      [](Whole& w) { w.run.cells.begin()->second.cases = 4; },
      [](Whole& w) { w.run.cells.begin()->second.differed = 0; },
      [](Whole& w) { w.run.cells.begin()->second.elements = -12; },
      [](Whole& w) {
        w.run.cells.begin()->second.elements = kMost;
        w.run.cells[Cell{}].elements = kMost;
      },
      [](Whole& w) { w.run.cells.begin()->second.classes["tie"] = 4; },
      [](Whole& w) { w.run.cells.begin()->second.classes["tie"] = -1; },
      [](Whole& w) { w.run.differences["tie"] = 2; },
      [](Whole& w) {
        w.run.differences["tie"] = -1;
        w.run.differences["x"] = 2;
      },
      [](Whole& w) { w.run.reasons["declined"] = -1; },
      [](Whole& w) { w.run.accepted_deviations["why"] = -1; },
      [](Whole& w) { w.run.declined["why"] = kMost; },
      [](Whole& w) { w.run.strategies["ties"] = -1; },
      [](Whole& w) { w.blocks[1].verdicts = "..sC"; },
      [](Whole& w) { w.blocks[1].verdicts = ".DsC."; },
      [](Whole& w) { w.blocks[1].verdicts = ".DsCq"; },
      [](Whole& w) { w.blocks[1].number = 5; },
      [](Whole& w) { w.blocks[1].number = -2; },
      [](Whole& w) { w.blocks.pop_back(); },
      [](Whole& w) { w.run.findings.front().case_line = "conv2d x=[1] w=[50]'; touch x; '"; },
      [](Whole& w) { w.run.findings.front().original_line = ""; },
      [](Whole& w) { w.run.findings.front().before = {"conv2d", "conv2d\n::error::"}; }};
  for (std::size_t i = 0; i < kWrongs.size(); ++i) {
    Whole wrong = whole();
    kWrongs[i](wrong);
    EXPECT_NE(find_record_error(wrong.run, wrong.blocks), "") << "change " << i;
  }
}

// These lines have a few bytes, but their lists would take gigabytes.
TEST(SmallCase, ComputesOnlyWithSmallCases) {
  EXPECT_TRUE(small_case("conv2d x=[1] w=[50]", 100));
  EXPECT_TRUE(small_case("conv1d input=99 x=[99*1] w=[2]", 1000));
  EXPECT_FALSE(small_case("conv1d input=99 x=[99*1] w=[2]", 100));
  EXPECT_FALSE(small_case("conv2d out_channels=16777216 x=uniform", 1000));
  EXPECT_FALSE(small_case("conv2d ws=[268435456*1]", 1000));
  EXPECT_FALSE(small_case("conv2d ws=[99999999999999999999*1]", 1000));
  EXPECT_FALSE(small_case("not a case", 1000));
  EXPECT_TRUE(is_case_line("conv1d input=268435456 x=[268435456*1]"));
  EXPECT_TRUE(is_case_line("conv2d xs=1e-07 x=uniform seed=18446744073709551615 engine=x86"));
  for (const char* line : {"", "conv2d x=", "conv4d", "conv2d $(touch x)", "conv2d x=[1] w=[50]\x1b[31m", "conv2d *"}) {
    EXPECT_FALSE(is_case_line(line)) << line;
  }
}

}  // namespace
}  // namespace tieout
