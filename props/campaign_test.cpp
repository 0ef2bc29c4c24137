#include "props/campaign.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <vector>

#include "cases/case_text.h"
#include "props/stand_in_reference.h"
#include "props/verify.h"
#include "reports/report.h"

namespace tieout {
namespace {

bool go_on(const RunSummary& /*run*/, std::int64_t /*running*/) { return true; }

RunSummary run(const CampaignOptions& options, LibTorch& reference) {
  return run_campaign(options, reference, empty_run(options, reference), 0, {.progress = go_on});
}

// What does not depend on the machine's speed.
RunSummary timeless(RunSummary run) {
  run.seconds = run.seconds_in_engine = 0;
  for (auto& [strategy, seconds] : run.strategy_seconds) seconds = 0;
  run.workers = 0;
  run.shard = {};
  return run;
}

TEST(Campaign, CountsAndKeepsWhatDiffers) {
  StandInReference wrong(off_by_one);
  const RunSummary result = run({.cases = 200, .seed = 1, .kept_per_kind = 2}, wrong);
  EXPECT_GT(result.cases.differed, 10);
  EXPECT_GT(result.cases.errored, 10);  // the engines that this reference lacks
  EXPECT_EQ(result.cases.all(), 200);
  EXPECT_TRUE(result.finished);
  EXPECT_EQ(exit_status(make_report({result})), 1);
  std::map<std::string, std::int64_t> kept;
  for (const Finding& finding : result.findings) {
    EXPECT_LE(++kept[kind_of(finding)], 2);
    EXPECT_EQ(verify_alone(*parse(finding.case_line), wrong).status, Status::differed) << finding.case_line;
    EXPECT_FALSE(finding.explanation.empty());
  }
  EXPECT_GE(result.findings.size(), 2U);
}

TEST(Campaign, ACrashCostsOneCase) {
  StandInReference crashing([](const ConvProblem& problem, EngineAnswer answer) {
    if (problem.spec.dims == 3) std::abort();
    return answer;
  });
  const RunSummary result = run({.cases = 60, .seed = 1, .workers = 2, .kept_per_kind = 1}, crashing);
  EXPECT_GT(result.cases.crashed, 3);
  EXPECT_GT(result.cases.passed, 10);
  EXPECT_EQ(result.cases.all(), 60);
  EXPECT_EQ(exit_status(make_report({result})), 1);
  ASSERT_EQ(result.findings.size(), 1U);
  EXPECT_EQ(result.findings.front().failure, "died: SIGABRT");
}

TEST(Campaign, AHangCostsItsTimeAndIsAFinding) {
  StandInReference hanging([](const ConvProblem& problem, EngineAnswer answer) {
    if (problem.spec.dims == 3) {
      for (;;) pause();
    }
    return answer;
  });
  const RunSummary result = run({.cases = 20, .seed = 1, .seconds_per_case = 0.1, .kept_per_kind = 0}, hanging);
  EXPECT_EQ(result.cases.all(), 20);
  EXPECT_EQ(result.differences, (std::map<std::string, std::int64_t>{{"died: hang", result.cases.crashed}}));
  EXPECT_GT(result.cases.crashed, 0);
}

TEST(Campaign, StopsWhenTold) {
  StandInReference honest;
  const CampaignOptions options{.cases = 1'000'000, .seed = 1};
  const RunSummary result =
      run_campaign(options, honest, empty_run(options, honest), 0,
                   {.progress = [](const RunSummary& so_far, std::int64_t) { return so_far.cases.all() < 20; }});
  EXPECT_LT(result.cases.all(), 20 * kBlock);
  EXPECT_FALSE(result.finished);
}

// Workers, shards and interruptions change nothing about what is counted and kept.
TEST(Campaign, IsTheSameHoweverItIsSplit) {
  StandInReference wrong([](const ConvProblem& problem, EngineAnswer answer) -> EngineResult<EngineAnswer> {
    if (problem.spec.dims == 3 && problem.spec.groups == 3) std::abort();
    return off_by_one(problem, std::move(answer));
  });
  const CampaignOptions options{.cases = 4 * kBlock - 100, .seed = 9, .kept_per_kind = 1};
  const RunSummary whole = run(options, wrong);
  EXPECT_GT(whole.cases.crashed, 0);

  CampaignOptions by_many = options;
  by_many.workers = 3;
  EXPECT_EQ(timeless(run(by_many, wrong)), timeless(whole));

  CampaignOptions part = options;
  RunSummary merged = empty_run(options, wrong);
  merged.finished = true;
  for (part.shard = {.index = 0, .count = 3}; part.shard.index < 3; ++part.shard.index) {
    const RunSummary shard = run(part, wrong);
    merge(merged, shard);
    merged.findings.insert(merged.findings.end(), shard.findings.begin(), shard.findings.end());
  }
  EXPECT_EQ(merged.cases, whole.cases);
  EXPECT_EQ(merged.cells, whole.cells);
  EXPECT_EQ(merged.differences, whole.differences);

  // Stopped after each block, and taken up again.
  RunSummary resumed = empty_run(options, wrong);
  for (std::int64_t done = 0; !resumed.finished; ++done) {
    ASSERT_LT(done, 4);
    resumed =
        run_campaign(options, wrong, resumed, done, {.progress = go_on, .block = [](auto&, auto&) { return false; }});
  }
  EXPECT_EQ(timeless(resumed), timeless(whole));
}

// The line of a case is on disk before the case runs, so that it can be found after the death of everything.
TEST(Campaign, WritesDownWhatItIsAt) {
  const auto folder = std::filesystem::temp_directory_path() / ("in-flight-" + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  StandInReference reference([&](const ConvProblem& problem, EngineAnswer answer) {
    std::ifstream file(folder / "block-0");
    std::string line;
    std::getline(file, line);
    if (line != print(problem.spec)) std::abort();
    return answer;
  });
  const RunSummary result = run({.cases = 50, .seed = 3, .in_flight = folder}, reference);
  EXPECT_EQ(result.cases.crashed, 0);
  EXPECT_GT(result.cases.passed, 0);
  EXPECT_TRUE(std::filesystem::is_empty(folder));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace tieout
