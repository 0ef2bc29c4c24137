// Tests campaigns that are killed with all their processes, and campaigns whose workers die: no case is lost, and none
// is counted twice.

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "cases/random.h"
#include "cli/campaign/test_campaign.h"

namespace tieout {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

class KilledCampaign : public testing::Test {
 protected:
  [[nodiscard]] std::string in(const std::string& name) const { return folder_.in(name); }
  int run(const std::vector<std::string>& arguments) { return folder_.run(arguments); }
  [[nodiscard]] std::string output() const { return folder_.output(); }

  // Starts the campaign and kills it with all its processes after a random time, repeatedly, until it ends by itself.
  // Returns its exit status then.
  int run_among_kills(const std::vector<std::string>& arguments) {
    Random random(20240229);
    int killed = 0;
    int status = -1;
    for (int tries = 0; status < 0 && tries < 100; ++tries) {
      const Running one(arguments, folder_ / "output");
      // After twenty kills it is left to end, because a slow machine may make no progress between two kills.
      if (killed < 20) {
        std::this_thread::sleep_for(milliseconds(random.between(50, 1200)));
        one.send(SIGKILL);
      }
      status = one.wait();
      killed += status < 0 ? 1 : 0;
    }
    EXPECT_GE(killed, 3);
    return status;
  }

  // Returns true if the campaign has replayed its corpus, which may be empty.
  static bool begun(const fs::path& file) {
    const auto record = RunRecord::open(file, RunRecord::For::reading);
    return record && !record->blocks().value_or(std::vector<RecordBlock>{}).empty();
  }

  CampaignFolder folder_;
};

// All processes are killed at random times; the record equals that of an undisturbed campaign.
TEST_F(KilledCampaign, ResumesAfterSigkillAtAnyMoment) {
  ASSERT_EQ(run(campaign(in("whole"))), 0) << output();
  EXPECT_EQ(run_among_kills(campaign(in("killed"), {"--resume", "--workers", "2"})), 0) << output();
  EXPECT_EQ(difference(folder_ / "whole/run.tieout", folder_ / "killed/run.tieout"), "");
}

// The same holds for a faulty subject, whose findings are shrunk and kept, and for a corpus that exists beforehand.
TEST_F(KilledCampaign, KeepsItsFindingsAfterSigkillAtAnyMoment) {
  for (const char* of : {"whole", "killed"}) {
    fs::create_directories(folder_ / of / "corpus/known");
    std::ofstream(folder_ / of / "corpus/known/case.txt") << "conv2d xs=0.1 ws=[0.5] os=0.1 x=[1] w=[1]\n";
  }
  const auto faulty = [&](const std::string& dir, std::vector<std::string> more = {}) {
    more.insert(more.end(), {"--subject", TIEOUT_KERNELS "/libconv_relu_rounds_away.so"});
    return campaign(dir, more);
  };
  ASSERT_EQ(run(faulty(in("whole"))), 1) << output();
  EXPECT_EQ(run_among_kills(faulty(in("killed"), {"--resume", "--workers", "2"})), 1) << output();
  EXPECT_EQ(difference(folder_ / "whole/run.tieout", folder_ / "killed/run.tieout"), "");
  const auto found = RunRecord::open(folder_ / "whole/run.tieout")->summary()->findings;
  EXPECT_GE(found.size(), 3U);
  EXPECT_EQ(found.front().index, -1);  // the case of the corpus
  const auto corpus = files_below(folder_ / "whole/corpus");
  EXPECT_GE(corpus.size(), 6U);  // the two paths of the known case, and at least one finding
  EXPECT_EQ(files_below(folder_ / "killed/corpus"), corpus);
}

// A campaign that is killed before it has recorded its first block may already have added findings of that block to its
// corpus. When it resumes, it must not replay them: the corpus counts as it was at the beginning.
TEST_F(KilledCampaign, DoesNotReplayItsOwnFindings) {
  const std::vector<std::string> words = campaign(in("killed"), {"--resume"});
  const Running one(words, folder_ / "output");
  while (!begun(folder_ / "killed/run.tieout")) std::this_thread::sleep_for(milliseconds(1));
  one.send(SIGKILL);
  EXPECT_EQ(one.wait(), -1);
  fs::create_directories(folder_ / "killed/corpus/one");
  std::ofstream(folder_ / "killed/corpus/one/case.txt") << "conv2d xs=0.1 ws=[0.5] os=0.1 x=[1] w=[1]\n";
  ASSERT_EQ(run(words), 0) << output();
  EXPECT_EQ(RunRecord::open(folder_ / "killed/run.tieout")->summary()->cases.all(), 4200);
}

// Each way in which the subject ends is a finding of its own kind, and the campaign continues after it.
TEST_F(KilledCampaign, ContinuesAfterCrashesHangsAndLackOfMemory) {
  const std::vector<std::string> words{
      "campaign", "--dir",      in("bad"), "--cases",   "2000",
      "--seed",   "31",         "--limit", "2",         "--memory",
      "512",      "--patience", "0.2",     "--subject", std::string(TIEOUT_KERNELS) + "/libbad_at_times.so"};
  EXPECT_EQ(run(words), 1) << output();
  const RunSummary bad = RunRecord::open(folder_ / "bad/run.tieout")->summary().value();
  EXPECT_TRUE(bad.finished);
  EXPECT_EQ(bad.cases.all(), 2000);
  for (const char* kind : {"died: SIGABRT", "died: exit with status 1", "died: hang"}) {
    EXPECT_TRUE(bad.differences.contains(kind)) << kind << '\n' << output();
    EXPECT_TRUE(std::ranges::any_of(
        bad.findings,
        [&](const Finding& finding) { return kind_of(finding) == kind && counted_kind(finding) == kind; }))
        << kind << '\n'
        << output();
  }
  EXPECT_GT(bad.cases.differed, 0);
}

}  // namespace
}  // namespace tieout
