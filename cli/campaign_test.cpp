// A campaign as the night meets it: killed, interrupted, split up, taken up again.

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "cases/random.h"
#include "reports/record_files.h"

namespace tieout {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

// A running command, alone in its process group. Its output goes to a file.
class Running {
 public:
  Running(const std::vector<std::string>& arguments, const fs::path& output) {
    std::vector<const char*> words{TIEOUT_PROGRAM};
    for (const std::string& argument : arguments) words.push_back(argument.c_str());
    words.push_back(nullptr);
    pid_ = fork();
    if (pid_ != 0) return;
    setpgid(0, 0);
    if (std::freopen(output.c_str(), "w", stdout) == nullptr || dup2(STDOUT_FILENO, STDERR_FILENO) < 0) _exit(99);
    execv(TIEOUT_PROGRAM, const_cast<char* const*>(words.data()));
    _exit(99);
  }

  void send(int signal) const { kill(signal == SIGKILL ? -pid_ : pid_, signal); }

  // The exit status, or -1 where a signal ended it.
  [[nodiscard]] int wait() const {
    int status = 0;
    waitpid(pid_, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t pid_;
};

class CampaignCommand : public testing::Test {
 protected:
  CampaignCommand() { fs::create_directories(folder_); }
  ~CampaignCommand() override { fs::remove_all(folder_); }

  [[nodiscard]] std::string in(const std::string& name) const { return (folder_ / name).string(); }

  int run(const std::vector<std::string>& arguments) { return Running(arguments, folder_ / "output").wait(); }

  [[nodiscard]] std::string output() const {
    std::ostringstream text;
    text << std::ifstream(folder_ / "output").rdbuf();
    return text.str();
  }

  static RunSummary timeless(RunSummary run) {
    run.seconds = run.seconds_in_engine = 0;
    run.strategy_seconds.clear();
    run.started = run.workers = 0;
    run.command.clear();
    return run;
  }

  static bool has_a_block(const fs::path& file) {
    const auto record = RunRecord::open(file, RunRecord::For::reading);
    return record && !record->blocks().value_or(std::vector<RecordBlock>{}).empty();
  }

  // Case by case, and everything that was counted and found.
  static void expect_same_record(const fs::path& one, const fs::path& other) {
    const auto a = RunRecord::open(one);
    const auto b = RunRecord::open(other);
    ASSERT_TRUE(a) << a.error();
    ASSERT_TRUE(b) << b.error();
    EXPECT_EQ(timeless(a->summary().value()), timeless(b->summary().value()));
    const auto blocks_a = a->blocks().value();
    const auto blocks_b = b->blocks().value();
    ASSERT_EQ(blocks_a.size(), blocks_b.size());
    for (std::size_t i = 0; i < blocks_a.size(); ++i) {
      EXPECT_EQ(blocks_a[i].number, blocks_b[i].number);
      EXPECT_EQ(blocks_a[i].verdicts, blocks_b[i].verdicts);
      EXPECT_EQ(blocks_a[i].digest, blocks_b[i].digest);
    }
  }

  fs::path folder_ = fs::path(testing::TempDir()) / ("tieout campaign " + std::to_string(getpid()));
};

const std::vector<std::string> kOptions{"--cases", "4200", "--seed", "31"};

std::vector<std::string> campaign(const std::string& dir, std::vector<std::string> more = {}) {
  std::vector<std::string> words{"campaign", "--dir", dir};
  words.insert(words.end(), kOptions.begin(), kOptions.end());
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

// Every process dies at any moment, again and again; nothing is lost, and nothing is counted twice.
TEST_F(CampaignCommand, SurvivesKillNineAtAnyMoment) {
  ASSERT_EQ(run(campaign(in("whole"))), 0) << output();
  Random random(20240229);
  int killed = 0;
  int status = -1;
  for (int tries = 0; status < 0 && tries < 100; ++tries) {
    const Running one(campaign(in("killed"), {"--resume", "--workers", "2"}), folder_ / "output");
    // After twenty deaths it may come to its end: the machine may be too slow to get on between two of them.
    if (killed < 20) {
      std::this_thread::sleep_for(milliseconds(random.between(50, 1200)));
      one.send(SIGKILL);
    }
    status = one.wait();
    killed += status < 0 ? 1 : 0;
  }
  EXPECT_EQ(status, 0) << output();
  EXPECT_GE(killed, 3);
  expect_same_record(folder_ / "whole/run.tieout", folder_ / "killed/run.tieout");
}

TEST_F(CampaignCommand, CtrlCReportsAndResumeGoesOn) {
  const Running one(campaign(in("stopped"), {"--workers", "1"}), folder_ / "output");
  while (!has_a_block(folder_ / "stopped/run.tieout")) std::this_thread::sleep_for(milliseconds(10));
  one.send(SIGINT);
  EXPECT_EQ(one.wait(), 3);
  EXPECT_NE(output().find("interrupted: "), std::string::npos) << output();
  EXPECT_TRUE(fs::exists(folder_ / "stopped/run.md"));
  const auto half = RunRecord::open(folder_ / "stopped/run.tieout")->summary();
  EXPECT_FALSE(half->finished);

  // As if it had found something: that is for the next campaign, or a resumed one would verify more than a whole one.
  fs::create_directories(folder_ / "stopped/corpus/one");
  std::ofstream(folder_ / "stopped/corpus/one/case.txt") << "conv2d xs=0.1 ws=[0.5] os=0.1 x=[1] w=[1]\n";
  EXPECT_EQ(run(campaign(in("stopped"))), 2);  // only with --resume
  EXPECT_NE(output().find("--resume goes on"), std::string::npos) << output();
  EXPECT_EQ(run({"campaign", "--dir", in("stopped"), "--cases", "4200", "--seed", "32", "--resume"}), 2);
  EXPECT_NE(output().find("holds another campaign"), std::string::npos) << output();
  EXPECT_EQ(run({"campaign", "--dir", in("stopped"), "--cases", "4200", "--resume"}), 0) << output();
  ASSERT_EQ(run(campaign(in("whole"))), 0);
  expect_same_record(folder_ / "whole/run.tieout", folder_ / "stopped/run.tieout");
}

// The terminal of a night's run is closed; or what reads its words ends, or has no room for them.
TEST_F(CampaignCommand, GoesOnWithoutWhoWatches) {
  const Running one(campaign(in("watched"), {"--workers", "1"}), folder_ / "output");
  while (!fs::exists(folder_ / "watched/run.tieout")) std::this_thread::sleep_for(milliseconds(10));
  std::this_thread::sleep_for(milliseconds(300));
  one.send(SIGHUP);
  EXPECT_EQ(one.wait(), 3) << output();
  EXPECT_TRUE(fs::exists(folder_ / "watched/run.md"));

  EXPECT_EQ(Running(campaign(in("watched"), {"--resume"}), "/dev/full").wait(), 0);
  EXPECT_TRUE(RunRecord::open(folder_ / "watched/run.tieout")->summary()->finished);
}

TEST_F(CampaignCommand, ShardsOfAnyJobSystemMergeToTheWhole) {
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
  expect_same_record(folder_ / "whole/run.tieout", folder_ / "merged.tieout");

  fs::remove(folder_ / "shards/shard-0002-of-0004.tieout");
  EXPECT_EQ(run({"report", in("shards")}), 3) << output();  // a shard is missing

  EXPECT_EQ(run_with({{"JOB_COMPLETION_INDEX", "1"}}), 2);
  EXPECT_NE(output().find("TIEOUT_SHARDS is not set"), std::string::npos) << output();
}

TEST_F(CampaignCommand, TimeEndsIt) {
  EXPECT_EQ(run({"campaign", "--dir", in("timed"), "--for", "1s", "--seed", "4"}), 0) << output();
  EXPECT_TRUE(RunRecord::open(folder_ / "timed/run.tieout")->summary()->finished);
}

TEST_F(CampaignCommand, FindingsAreKeptAndReplayedFirst) {
  fs::create_directories(folder_ / "corpus/one");
  std::ofstream(folder_ / "corpus/one/case.txt") << "conv2d xs=0.1 ws=[0.5] os=0.1 x=[1] w=[1]\n";
  EXPECT_EQ(run(campaign(in("replaying"), {"--corpus", in("corpus")})), 0) << output();
  EXPECT_NE(output().find("corpus: 1 cases replayed, 0 still differ"), std::string::npos) << output();
  EXPECT_EQ(RunRecord::open(folder_ / "replaying/run.tieout")->summary()->cases.all(), 4201);

  std::ofstream(folder_ / "corpus/one/case.txt") << "conv2d stride=0\n";
  EXPECT_EQ(run(campaign(in("broken"), {"--corpus", in("corpus")})), 3);
  EXPECT_NE(output().find("one/case.txt: stride: must be"), std::string::npos) << output();
}

TEST_F(CampaignCommand, BadUsageIsToldInWords) {
  const auto told = [&](const std::vector<std::string>& arguments, const std::string& words) {
    EXPECT_EQ(run(arguments), 2);
    EXPECT_NE(output().find(words), std::string::npos) << output();
  };
  told({"campaign", "--dir", in("x")}, "say how long");
  told({"campaign", "--dir", in("x"), "--for", "8"}, "must be a time such as");
  told({"campaign", "--dir", in("x"), "--cases", "9", "--shard", "3/2"}, "must be I/N");
  told({"campaign", "--dir", in("x"), "--cases", "9", "--shard", "1/2"}, "the same seed");
  told({"campaign", "--dir", "/proc/x", "--cases", "9"}, "name another folder");
  told({"campaign", "--dir", in("x"), "--cases", "9", "--corpus", TIEOUT_PROGRAM}, "--corpus: ");
  told({"report", in("absent.tieout")}, "absent.tieout: unable to open");
  fs::create_directories(folder_ / "empty");
  told({"report", in("empty")}, "no run record");
  std::ofstream(folder_ / "baseline.json") << "{}";
  told({"report", in("absent.tieout"), "--baseline", in("baseline.json")}, "must be a JSON array");
}

}  // namespace
}  // namespace tieout
