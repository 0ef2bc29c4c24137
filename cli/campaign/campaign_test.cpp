// Tests campaigns that are interrupted, resumed and split into shards. campaign_kill_test.cpp tests killed campaigns.

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "cli/campaign/test_campaign.h"
#include "reports/records/record_files.h"

namespace tieout {
namespace {

using testing::HasSubstr;

namespace fs = std::filesystem;
using std::chrono::milliseconds;

class CampaignCommand : public testing::Test {
 protected:
  [[nodiscard]] std::string in(const std::string& name) const { return folder_.in(name); }
  int run(const std::vector<std::string>& arguments) { return folder_.run(arguments); }
  [[nodiscard]] std::string output() const { return folder_.output(); }

  static bool has_a_block(const fs::path& file) {
    const auto record = RunRecord::open(file, RunRecord::For::reading);
    if (!record) return false;
    const auto blocks = record->blocks().value_or(std::vector<RecordBlock>{});
    return std::ranges::any_of(blocks, [](const RecordBlock& block) { return block.number >= 0; });  // not the corpus
  }

  CampaignFolder folder_;
};

TEST_F(CampaignCommand, AnInterruptedCampaignReportsAndCanBeResumed) {
  const Running one(campaign(in("stopped"), {"--workers", "1"}), folder_ / "output");
  while (!has_a_block(folder_ / "stopped/run.tieout")) std::this_thread::sleep_for(milliseconds(10));
  one.send(SIGINT);
  EXPECT_EQ(one.wait(), 3);
  EXPECT_THAT(output(), HasSubstr("interrupted: "));
  EXPECT_TRUE(fs::exists(folder_ / "stopped/run.md"));
  const auto half = RunRecord::open(folder_ / "stopped/run.tieout")->summary();
  EXPECT_FALSE(half->finished);

  // Adds a finding as if the campaign had found it. It is not replayed before the next campaign; a resumed campaign
  // would otherwise verify more cases than an uninterrupted one.
  fs::create_directories(folder_ / "stopped/corpus/one");
  std::ofstream(folder_ / "stopped/corpus/one/case.txt") << "conv2d xs=0.1 ws=[0.5] os=0.1 x=[1] w=[1]\n";
  EXPECT_EQ(run(campaign(in("stopped"))), 2);  // the folder is only reused with --resume
  EXPECT_THAT(output(), HasSubstr("--resume goes on"));
  EXPECT_EQ(run({"campaign", "--dir", in("stopped"), "--cases", "4200", "--seed", "32", "--resume"}), 2);
  EXPECT_THAT(output(), HasSubstr("holds another campaign"));
  for (const auto& [option, value] : {std::pair{"--limit", "5"}, {"--memory", "512"}, {"--products", "500"}}) {
    EXPECT_EQ(run(campaign(in("stopped"), {"--resume", option, value})), 2);
    EXPECT_THAT(output(), HasSubstr(std::string(option) + " " + value));
  }
  EXPECT_EQ(run({"campaign", "--dir", in("stopped"), "--cases", "4200", "--resume"}), 0) << output();
  ASSERT_EQ(run(campaign(in("whole"))), 0);
  EXPECT_EQ(difference(folder_ / "whole/run.tieout", folder_ / "stopped/run.tieout"), "");
}

// A library that has been rebuilt is a different subject, although its path is the same.
TEST_F(CampaignCommand, AChangedLibraryIsRefusedAtResume) {
  const std::string kernel = in("kernel.so");
  const auto put = [&](const char* library) {
    fs::copy_file(std::string(TIEOUT_KERNELS) + library, kernel, fs::copy_options::overwrite_existing);
  };
  const std::vector<std::string> words{"campaign", "--dir",     in("one"), "--cases",  "500",     "--seed",
                                       "31",       "--subject", kernel,    "--resume", "--limit", "5"};
  put("/libconv_relu_c.so");
  ASSERT_EQ(run(words), 0) << output();
  put("/libconv_relu_rounds_away.so");
  EXPECT_EQ(run(words), 2) << output();
  EXPECT_THAT(output(), HasSubstr("the subject is not the same any more"));
  put("/libconv_relu_c.so");
  EXPECT_EQ(run(words), 0) << output();
}

// The same holds for a library that is the reference.
TEST_F(CampaignCommand, AnotherReferenceIsNotResumed) {
  const std::string reference = in("reference.so");
  const auto put = [&](const char* library) {
    fs::copy_file(std::string(TIEOUT_KERNELS) + library, reference, fs::copy_options::overwrite_existing);
  };
  const auto words = [&](const std::string& named) {
    const std::string subject = std::string(TIEOUT_KERNELS) + "/libconv_relu_c.so";
    return std::vector<std::string>{"campaign", "--dir",     in("one"), "--cases",     "1000", "--seed",
                                    "31",       "--subject", subject,   "--reference", named,  "--resume"};
  };
  put("/libremembers.so");
  const int status = run(words(reference));
  const auto record = RunRecord::open(folder_ / "one/run.tieout", RunRecord::For::reading);
  ASSERT_TRUE(record) << output();
  EXPECT_THAT(record->summary()->reference, HasSubstr(reference + ", digest "));
  EXPECT_THAT(record->summary()->command, HasSubstr("--reference '" + reference + "'"));
  put("/libconv_relu_rounds_away.so");
  EXPECT_EQ(run(words(reference)), 2) << output();
  EXPECT_THAT(output(), HasSubstr("the reference is not the same any more"));
  EXPECT_EQ(run(words("hypothesis:integer_float32")), 2) << output();
  EXPECT_THAT(output(), HasSubstr("holds another campaign"));
  put("/libremembers.so");
  EXPECT_EQ(run(words(reference)), status) << output();
}

// The library at the end is not verified although most cases were verified with the previous one. The new library is
// another subject, so none of its answers is counted.
TEST_F(CampaignCommand, ALibraryReplacedDuringTheRunEndsTheRun) {
  const std::string kernel = in("kernel.so");
  const auto put = [&](const char* library) {
    fs::copy_file(std::string(TIEOUT_KERNELS) + library, in("new.so"), fs::copy_options::overwrite_existing);
    fs::rename(in("new.so"), kernel);
  };
  const auto is_told = [&](int status) {
    EXPECT_EQ(status, 3) << output();
    EXPECT_THAT(output(), HasSubstr("kernel.so was changed while it was being verified"));
  };
  put("/libconv_relu_c.so");
  const std::vector<std::string> words{"--subject", kernel, "--workers", "1"};
  const Running one(campaign(in("one"), words), folder_ / "output");
  while (!has_a_block(folder_ / "one/run.tieout")) std::this_thread::sleep_for(milliseconds(10));
  put("/libconv_relu_rounds_away.so");
  is_told(one.wait());
  const auto summary = RunRecord::open(folder_ / "one/run.tieout")->summary();
  EXPECT_FALSE(summary->finished);
  EXPECT_EQ(summary->cases.differed, 0);
  EXPECT_EQ(run({"report", in("one")}), 3) << output();

  put("/libconv_relu_c.so");
  ASSERT_EQ(run(campaign(in("one"), {"--subject", kernel, "--resume"})), 0) << output();
  ASSERT_EQ(run(campaign(in("whole"), words)), 0) << output();
  EXPECT_EQ(difference(folder_ / "whole/run.tieout", folder_ / "one/run.tieout"), "");

  const Running fuzz(
      {"fuzz", "--cases", "4200", "--seed", "31", "--record", in("fuzz.tieout"), "--subject", kernel, "--workers", "1"},
      folder_ / "output");
  while (!has_a_block(folder_ / "fuzz.tieout")) std::this_thread::sleep_for(milliseconds(10));
  put("/libconv_relu_rounds_away.so");
  is_told(fuzz.wait());
  EXPECT_EQ(run({"report", in("fuzz.tieout")}), 3) << output();
}

// A campaign whose terminal is closed ends with its reports, and one whose output cannot be written completes its
// record.
TEST_F(CampaignCommand, ContinuesIfItsOutputIsClosed) {
  const Running one(campaign(in("watched"), {"--workers", "1"}), folder_ / "output");
  while (!has_a_block(folder_ / "watched/run.tieout")) std::this_thread::sleep_for(milliseconds(10));
  one.send(SIGHUP);
  EXPECT_EQ(one.wait(), 3) << output();
  EXPECT_TRUE(fs::exists(folder_ / "watched/run.md"));

  // The files are complete, but the exit status reports that the output was lost.
  EXPECT_EQ(Running(campaign(in("watched"), {"--resume"}), "/dev/full").wait(), 3);
  EXPECT_TRUE(RunRecord::open(folder_ / "watched/run.tieout")->summary()->finished);
}

TEST_F(CampaignCommand, ShardsOfEveryJobSystemMergeToTheWholeRun) {
  ASSERT_EQ(run(campaign(in("whole"))), 0) << output();
  const auto run_with = [&](const std::vector<std::pair<const char*, const char*>>& variables,
                            const std::vector<std::string>& more = {}) {
    for (const auto& [name, value] : variables) setenv(name, value, 1);
    const int status = run(campaign(in("shards"), more));
    for (const auto& [name, value] : variables) unsetenv(name);
    return status;
  };
  EXPECT_EQ(run_with({{"SLURM_ARRAY_TASK_ID", "5"},
                      {"SLURM_ARRAY_TASK_MIN", "5"},
                      {"SLURM_ARRAY_TASK_STEP", "2"},
                      {"SLURM_ARRAY_TASK_COUNT", "4"}}),
            0)
      << output();
  EXPECT_EQ(run_with({{"JOB_COMPLETION_INDEX", "1"}, {"TIEOUT_SHARDS", "4"}}), 0) << output();
  EXPECT_EQ(run_with({{"GTEST_SHARD_INDEX", "2"}, {"GTEST_TOTAL_SHARDS", "4"}}), 0) << output();
  EXPECT_EQ(run_with({}, {"--shard", "4/4"}), 0) << output();
  ASSERT_EQ(run({"merge", in("merged.tieout"), in("shards"), in("shards")}), 0) << output();
  EXPECT_EQ(difference(folder_ / "whole/run.tieout", folder_ / "merged.tieout"), "");

  fs::remove(folder_ / "shards/shard-0002-of-0004.tieout");
  EXPECT_EQ(run({"report", in("shards")}), 3) << output();  // a shard is missing

  for (const char* shards : {"4611686018427387904", "9223372036854775807", "-4", "1000001"}) {
    EXPECT_EQ(run_with({{"JOB_COMPLETION_INDEX", "1"}, {"TIEOUT_SHARDS", shards}}), 2) << shards;
  }
  EXPECT_EQ(run_with({{"SLURM_ARRAY_TASK_ID", "9223372036854775807"},
                      {"SLURM_ARRAY_TASK_MIN", "-9223372036854775808"},
                      {"SLURM_ARRAY_TASK_COUNT", "4"}}),
            2)
      << output();
  EXPECT_EQ(run_with({{"JOB_COMPLETION_INDEX", "1"}}), 2);
  EXPECT_THAT(output(), HasSubstr("TIEOUT_SHARDS is not set"));
}

TEST_F(CampaignCommand, AnEmptyShardSucceeds) {
  const auto shard = [&](const char* which) {
    return run({"campaign", "--dir", in("few"), "--cases", "600", "--seed", "31", "--shard", which});
  };
  EXPECT_EQ(shard("1/3"), 0) << output();
  EXPECT_EQ(shard("2/3"), 0) << output();
  EXPECT_EQ(shard("3/3"), 0) << output();
  EXPECT_THAT(output(), HasSubstr("shard 3 of 3 is empty: 600 cases in 2 blocks of 500"));
  EXPECT_EQ(run({"campaign", "--dir", in("whole"), "--cases", "600", "--seed", "31"}), 0) << output();
  EXPECT_EQ(run({"merge", in("merged.tieout"), in("few")}), 0) << output();
  EXPECT_EQ(difference(folder_ / "whole/run.tieout", folder_ / "merged.tieout"), "");
  EXPECT_EQ(run({"report", in("few")}), 0) << output();
  fs::remove(folder_ / "few/shard-0003-of-0003.tieout");
  EXPECT_EQ(run({"report", in("few")}), 3) << output();  // without its record, it is unknown whether the shard is empty
}

TEST_F(CampaignCommand, AnInterruptStopsTheReplayOfTheCorpus) {
  for (int i = 0; i < 60; ++i) {  // cases that take some tenths of a second each
    fs::create_directories(folder_ / "corpus" / std::to_string(i));
    std::ofstream(folder_ / "corpus" / std::to_string(i) / "case.txt")
        << "conv2d in_channels=64 out_channels=64 input=56x56 kernel=3x3 padding=1x1 x=uniform w=uniform seed=" << i
        << '\n';
  }
  const Running one(campaign(in("stopped"), {"--workers", "1", "--corpus", in("corpus")}), folder_ / "output");
  while (!fs::exists(folder_ / "stopped/in-flight-run")) std::this_thread::sleep_for(milliseconds(10));
  std::this_thread::sleep_for(milliseconds(300));
  one.send(SIGINT);
  EXPECT_EQ(one.wait(), 3);
  EXPECT_THAT(output(), HasSubstr("interrupted: "));
  EXPECT_TRUE(RunRecord::open(folder_ / "stopped/run.tieout")->blocks()->empty());
  EXPECT_TRUE(fs::exists(folder_ / "stopped/run.md"));
}

TEST_F(CampaignCommand, EndsAfterTheGivenTime) {
  EXPECT_EQ(run({"campaign", "--dir", in("timed"), "--for", "1s", "--seed", "4"}), 0) << output();
  EXPECT_TRUE(RunRecord::open(folder_ / "timed/run.tieout")->summary()->finished);
}

TEST_F(CampaignCommand, FindingsAreStoredAndReplayedFirst) {
  fs::create_directories(folder_ / "corpus/one");
  std::ofstream(folder_ / "corpus/one/case.txt") << "conv2d xs=0.1 ws=[0.5] os=0.1 x=[1] w=[1]\n";
  EXPECT_EQ(run(campaign(in("replaying"), {"--corpus", in("corpus")})), 0) << output();
  EXPECT_THAT(output(), HasSubstr("corpus: 1 case replayed, 0 still differ"));
  EXPECT_EQ(RunRecord::open(folder_ / "replaying/run.tieout")->summary()->cases.all(), 4201);

  std::ofstream(folder_ / "corpus/one/case.txt") << "conv2d stride=0\n";
  EXPECT_EQ(run(campaign(in("broken"), {"--corpus", in("corpus")})), 3);
  EXPECT_THAT(output(), HasSubstr("one/case.txt: stride: must be"));
}

TEST_F(CampaignCommand, AFaultThatNeedsAnotherCaseIsReplayedAfterIt) {
  const std::string kernel = std::string(TIEOUT_KERNELS) + "/libremembers.so";
  EXPECT_EQ(run({"fuzz", "--cases", "500", "--seed", "1", "--subject", kernel}), 1) << output();
  // Looks for a finding that needs a case before it; some findings do not.
  const std::size_t needed = output().find(" --before '");
  ASSERT_NE(needed, std::string::npos) << output();
  const std::size_t begin = output().rfind("replay: tieout check ", needed);
  ASSERT_NE(begin, std::string::npos) << output();
  const std::string replay = output().substr(begin, output().find('\n', begin) - begin);
  const std::size_t before = replay.find(" --before '");
  EXPECT_EQ(replay.find(" --before '", before + 1), std::string::npos) << "one is enough: " << replay;
  const Outcome again = tieout::run(replay.substr(std::string("replay: tieout ").size()));
  EXPECT_EQ(again.status, 1) << again.output;
  EXPECT_THAT(again.output, HasSubstr("only where the same process has run before it"));
  // Without that case it is equal.
  const std::size_t last = replay.rfind(" '");
  EXPECT_EQ(tieout::run("check --subject '" + kernel + "'" + replay.substr(last)).status, 0);
}

TEST_F(CampaignCommand, BadUsageIsExplained) {
  const auto told = [&](const std::vector<std::string>& arguments, const std::string& words) {
    EXPECT_EQ(run(arguments), 2);
    EXPECT_THAT(output(), HasSubstr(words));
  };
  told({"campaign", "--dir", in("x")}, "say how long");
  told({"campaign", "--dir", in("x"), "--for", "8"}, "must be a time such as");
  told({"campaign", "--dir", in("x"), "--cases", "9", "--shard", "3/2"}, "must be I/N");
  // Larger numbers of shards are refused, so that case numbers cannot overflow.
  for (const char* shard : {"9223372036854775807/9223372036854775807", "1/4611686018427387904", "1/1000001"}) {
    told({"campaign", "--dir", in("x"), "--cases", "9", "--shard", shard}, "must be I/N with 1 <= I <= N <= 1000000");
  }
  for (const char* seconds : {"nan", "inf", "-1", "0", "1e300", "0x10", "5s"}) {
    told({"campaign", "--dir", in("x"), "--cases", "9", "--limit", seconds}, "--limit: must be a number of seconds");
    told({"campaign", "--dir", in("x"), "--cases", "9", "--patience", seconds},
         "--patience: must be a number of seconds");
  }
  for (const char* time : {"nans", "infh", "-1s", "0s", "1e300s", "99999999999999999999h"}) {
    told({"campaign", "--dir", in("x"), "--for", time}, "--for must be a time such as");
  }
  told({"campaign", "--dir", in("x"), "--cases", "9", "--shard", "1/2"}, "the same seed");
  told({"campaign", "--dir", "/proc/x", "--cases", "9"}, "name another folder");
  told({"campaign", "--dir", in("x"), "--cases", "9", "--corpus", in("absent")}, "--corpus: ");
  told({"campaign", "--dir", in("x"), "--cases", "9", "--subject", in("nope.so")}, "--subject: ");
  EXPECT_FALSE(fs::exists(in("x")));  // nothing is created for a campaign that cannot run
  EXPECT_FALSE(fs::exists(in("absent")));
  told({"campaign", "--dir", in("x"), "--cases", "9", "--corpus", TIEOUT_PROGRAM}, "--corpus: ");
  told({"report", in("absent.tieout")}, "absent.tieout: there is no such file; name a run record");
  fs::create_directories(folder_ / "empty");
  told({"report", in("empty")}, "no run record");
  std::ofstream(folder_ / "baseline.json") << "{}";
  told({"report", in("absent.tieout"), "--baseline", in("baseline.json")}, "must be a JSON array");
}

}  // namespace
}  // namespace tieout
