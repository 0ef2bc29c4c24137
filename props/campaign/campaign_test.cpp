#include "props/campaign/campaign.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <vector>

#include "cases/testing/temporary_folder.h"
#include "cases/text/case_text.h"
#include "props/campaign/test_campaign.h"
#include "props/generate/strategy.h"
#include "props/verify/hypothesis_subject.h"
#include "props/verify/stand_in_reference.h"
#include "props/verify/verify.h"
#include "reports/data/report.h"
#include "reports/records/record_files.h"

namespace tieout {
namespace {

bool go_on(const RunSummary& /*run*/, const Underway& /*now*/) { return true; }

// Returns the run without the numbers that depend on the machine's speed.
RunSummary timeless(RunSummary run) {
  run.seconds = run.seconds_in_engine = 0;
  for (auto& [strategy, seconds] : run.strategy_seconds) seconds = 0;
  run.workers = 0;
  run.shard = {};
  return run;
}

TEST(Campaign, CountsAndKeepsDifferences) {
  StandInReference wrong(off_by_one);
  const RunSummary result = run_whole_campaign({.cases = 200, .seed = 1, .kept_per_kind = 2}, wrong);
  EXPECT_GT(result.cases.differed, 10);
  // This reference lacks the other engines.
  EXPECT_GT(result.cases.unavailable, 10);
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
  const RunSummary result = run_whole_campaign({.cases = 60, .seed = 1, .workers = 2, .kept_per_kind = 1}, crashing);
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
  const RunSummary result =
      run_whole_campaign({.cases = 20, .seed = 1, .seconds_per_case = 0.1, .kept_per_kind = 0}, hanging);
  EXPECT_EQ(result.cases.all(), 20);
  EXPECT_EQ(result.differences, (std::map<std::string, std::int64_t>{{"died: hang", result.cases.crashed}}));
  EXPECT_GT(result.cases.crashed, 0);
}

TEST(Campaign, StopsOnRequest) {
  StandInReference honest;
  const CampaignOptions options{.cases = 1'000'000, .seed = 1};
  const RunSummary result =
      run_campaign(options, honest, {.so_far = empty_run(options, honest)},
                   {.progress = [](const RunSummary& so_far, const Underway&) { return so_far.cases.all() < 20; }});
  EXPECT_LT(result.cases.all(), 20 * kBlock);
  EXPECT_FALSE(result.finished);
}

// A difference that was found is reported, although its block is incomplete and its case is not shrunk.
TEST(Campaign, ReportsTheDifferencesFoundBeforeAnInterruption) {
  const TemporaryFolder folder;
  const auto hangs = folder / "hangs";
  // The variable lives in the worker, which answers every case up to the first that differs.
  bool told = false;
  StandInReference wrong([&](const ConvProblem& problem, const EngineAnswer& answer) {
    if (told) {
      std::ofstream(hangs).close();
      for (;;) pause();
    }
    EngineAnswer spoilt = off_by_one(problem, answer).value();
    told = spoilt.y.values != answer.y.values;
    return spoilt;
  });
  const CampaignOptions options{.cases = 2 * kBlock, .seed = 1};
  // At the second call, the answers that preceded the file have been read.
  int looks = 0;
  const RunSummary result =
      run_campaign(options, wrong, {.so_far = empty_run(options, wrong)},
                   {.progress = [&](auto&, auto&) { return !std::filesystem::exists(hangs) || ++looks < 2; },
                    .block =
                        [](auto&, auto&) {
                          ADD_FAILURE() << "a block that was not complete was counted";
                          return true;
                        }});
  std::filesystem::remove(hangs);
  EXPECT_FALSE(result.finished);
  EXPECT_EQ(result.cases.differed, 1);
  ASSERT_EQ(result.findings.size(), 1U);
  EXPECT_FALSE(result.findings.front().elements.empty()) << result.findings.front().failure;
  EXPECT_EQ(result.findings.front().case_line, print(case_of(1, static_cast<std::uint64_t>(result.findings[0].index))));
  EXPECT_EQ(exit_status(make_report({result})), 1);
}

TEST(Campaign, TheCorpusIsReplayedFirstOnAllWorkers) {
  StandInReference slow([](const ConvProblem& problem, EngineAnswer answer) -> EngineResult<EngineAnswer> {
    if (problem.spec.dims == 3) std::abort();
    usleep(200'000);
    return off_by_one(problem, std::move(answer));
  });
  const std::vector<AnyCase> corpus{*parse("conv2d os=100 x=[100] w=[100]"), *parse("conv3d"),
                                    *parse("conv2d x=[9] w=[9]"), *parse("conv2d x=[1] w=[1]")};
  CampaignOptions options{.cases = 1, .seed = 1, .workers = 2};
  std::vector<RecordBlock> blocks;
  std::int64_t most_partial = 0;
  const CampaignCalls calls{.progress =
                                [&](auto&, const Underway& now) {
                                  most_partial = std::max(most_partial, now.processes);
                                  return true;
                                },
                            .block =
                                [&](const RecordBlock& block, auto&) {
                                  blocks.push_back(block);
                                  return true;
                                }};
  const RunSummary result = run_campaign(options, slow, {.so_far = empty_run(options, slow), .corpus = corpus}, calls);
  ASSERT_EQ(blocks.size(), 2U);
  EXPECT_EQ(blocks[0].number, kCorpusBlock);
  EXPECT_EQ(blocks[0].verdicts, "DC..");
  EXPECT_EQ(most_partial, 2);
  ASSERT_GE(result.findings.size(), 2U);
  EXPECT_EQ(result.findings[0].index, -1);
  EXPECT_FALSE(result.findings[0].explanation.empty());
  EXPECT_EQ(result.findings[1].index, -2);
  EXPECT_EQ(result.findings[1].failure, "died: SIGABRT");

  options.workers = 1;
  (void)run_campaign(options, slow, {.so_far = empty_run(options, slow), .corpus = corpus}, calls);
  ASSERT_EQ(blocks.size(), 4U);
  EXPECT_EQ(blocks[2].digest, blocks[0].digest);

  // An interrupted replay gives no block, so that the corpus is replayed again as a whole.
  const RunSummary stopped = run_campaign(options, slow, {.so_far = empty_run(options, slow), .corpus = corpus},
                                          {.progress = [](auto&, auto&) { return false; }, .block = calls.block});
  EXPECT_EQ(stopped.cases.all(), 0);
  EXPECT_FALSE(stopped.finished);
  EXPECT_EQ(blocks.size(), 4U);
}

// Time that the corpus takes counts as the campaign's: cases started in that time are counted, and none is drawn.
TEST(Campaign, TimeLimitsTheReplayOfTheCorpus) {
  StandInReference slow([](const ConvProblem&, EngineAnswer answer) {
    usleep(300'000);
    return answer;
  });
  const CampaignOptions options{.seconds = 0.2, .seed = 1};
  std::vector<RecordBlock> blocks;
  const RunSummary result =
      run_campaign(options, slow, {.so_far = empty_run(options, slow), .corpus = std::vector<AnyCase>(9)},
                   {.progress = go_on, .block = [&](const RecordBlock& block, auto&) {
                      blocks.push_back(block);
                      return true;
                    }});
  ASSERT_EQ(blocks.size(), 1U);
  EXPECT_GE(blocks[0].verdicts.size(), 1U);
  EXPECT_LT(blocks[0].verdicts.size(), 9U);
  EXPECT_EQ(result.cases.all(), std::ssize(blocks[0].verdicts));
  EXPECT_TRUE(result.finished);
}

// Workers, shards and interruptions do not change what is counted and kept.
TEST(Campaign, IsIndependentOfWorkersAndShards) {
  StandInReference wrong([](const ConvProblem& problem, EngineAnswer answer) -> EngineResult<EngineAnswer> {
    if (problem.spec.dims == 3 && problem.spec.groups == 3) std::abort();
    return off_by_one(problem, std::move(answer));
  });
  const CampaignOptions options{.cases = 4 * kBlock - 100, .seed = 9, .kept_per_kind = 1};
  const RunSummary whole = run_whole_campaign(options, wrong);
  EXPECT_GT(whole.cases.crashed, 0);

  CampaignOptions by_many = options;
  by_many.workers = 3;
  EXPECT_EQ(timeless(run_whole_campaign(by_many, wrong)), timeless(whole));

  CampaignOptions part = options;
  RunSummary merged = empty_run(options, wrong);
  merged.finished = true;
  for (part.shard = {.index = 0, .count = 3}; part.shard.index < 3; ++part.shard.index) {
    const RunSummary shard = run_whole_campaign(part, wrong);
    merge(merged, shard);
    merged.findings.insert(merged.findings.end(), shard.findings.begin(), shard.findings.end());
  }
  EXPECT_EQ(merged.cases, whole.cases);
  EXPECT_EQ(merged.cells, whole.cells);
  EXPECT_EQ(merged.differences, whole.differences);

  // The run is stopped after each block and resumed.
  RunSummary resumed = empty_run(options, wrong);
  for (std::int64_t done = 0; !resumed.finished; ++done) {
    ASSERT_LT(done, 4);
    resumed = run_campaign(options, wrong, {.so_far = resumed, .blocks_done = done},
                           {.progress = go_on, .block = [](auto&, auto&) { return false; }});
  }
  EXPECT_EQ(timeless(resumed), timeless(whole));
}

// The stand-in's depthwise code departs from the exact contract. For LibTorch itself the elements are counted by cause;
// for a subject that follows the exact contract the cases are counted by reason.
TEST(Campaign, DeparturesSurviveARecordAResumeAndAMerge) {
  StandInReference reference;
  const auto exact = hypothesis_subject("hypothesis:integer_float32").value();
  for (Subject* const subject : {static_cast<Subject*>(nullptr), exact.get()}) {
    const TemporaryFolder folder;
    const CampaignOptions options{.cases = 2 * kBlock, .seed = 9, .kept_per_kind = 0, .subject = subject};
    const RunSummary whole = run_whole_campaign(options, reference);
    EXPECT_EQ(whole.departures.empty(), subject != nullptr);
    EXPECT_EQ(whole.accepted_deviations.empty(), subject == nullptr);
    const auto expect_counts_of_whole = [&](const RunSummary& counted) {
      EXPECT_EQ(counted.departures, whole.departures);
      EXPECT_EQ(counted.accepted_deviations, whole.accepted_deviations);
    };

    // The run is stopped after the first block; the second block is added to counts read from the file.
    const auto file = folder / "resumed.tieout";
    ASSERT_TRUE(RunRecord::create(file, empty_run(options, reference)));
    for (std::int64_t done = 0; done < 2; ++done) {
      auto record = RunRecord::open(file);
      ASSERT_TRUE(record) << record.error();
      (void)run_campaign(options, reference, {.so_far = record->summary().value(), .blocks_done = done},
                         {.progress = go_on, .block = [&](const RecordBlock& block, const RunSummary& so_far) {
                            EXPECT_TRUE(record->append(block, so_far));
                            return false;
                          }});
    }
    expect_counts_of_whole(RunRecord::open(file)->summary().value());

    CampaignOptions part = options;
    std::vector<std::filesystem::path> shards;
    for (part.shard = {.index = 0, .count = 2}; part.shard.index < 2; ++part.shard.index) {
      shards.push_back(folder / std::to_string(part.shard.index));
      auto record = RunRecord::create(shards.back(), empty_run(part, reference));
      ASSERT_TRUE(record) << record.error();
      (void)run_campaign(part, reference, {.so_far = empty_run(part, reference)},
                         {.progress = go_on, .block = [&](const RecordBlock& block, const RunSummary& so_far) {
                            return record->append(block, so_far).has_value();
                          }});
    }
    ASSERT_TRUE(merge_records(folder / "merged.tieout", shards));
    expect_counts_of_whole(RunRecord::open(folder / "merged.tieout")->summary().value());
  }
}

// The line of a case is on disk before the case runs, so that it can be found after all processes have died.
TEST(Campaign, WritesTheCurrentCaseToTheJournal) {
  const TemporaryFolder folder;
  StandInReference reference([&](const ConvProblem& problem, EngineAnswer answer) {
    std::ifstream file(folder / "block-0");
    std::string line;
    std::getline(file, line);
    if (line != print(problem.spec)) std::abort();
    return answer;
  });
  const RunSummary result = run_whole_campaign({.cases = 50, .seed = 3, .journal_folder = folder.path()}, reference);
  EXPECT_EQ(result.cases.crashed, 0);
  EXPECT_GT(result.cases.passed, 0);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

}  // namespace
}  // namespace tieout
