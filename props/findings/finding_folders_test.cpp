#include "props/findings/finding_folders.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "cases/testing/temporary_folder.h"
#include "reports/records/output_file.h"

namespace tieout {
namespace {

namespace fs = std::filesystem;

class FindingFolders : public testing::Test {
 protected:
  // Creates the draft that a process of this number on this machine would leave behind when it is killed.
  [[nodiscard]] fs::path draft_of(pid_t process) const {
    std::array<char, 256> machine{};
    EXPECT_EQ(gethostname(machine.data(), machine.size() - 1), 0);
    fs::path draft = corpus_ / (std::string(".tieout-draft-") + machine.data() + "-" + std::to_string(process) +
                                "-0123456789abcdef");
    fs::create_directories(draft);
    return draft;
  }

  TemporaryFolder folder_;
  fs::path corpus_ = folder_.path();
};

TEST_F(FindingFolders, OnlyDraftsOfEndedProcessesAreRemoved) {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  const fs::path dead = draft_of(child);
  const fs::path living = draft_of(getpid());
  const fs::path elsewhere = corpus_ / (".tieout-draft-another machine-" + std::to_string(child) + "-0123456789abcdef");
  // A user's own folder, whose name only looks like that of a draft.
  const fs::path users = corpus_ / (fs::path(dead).filename().string() + "-kept");
  fs::create_directories(users);
  fs::create_directories(elsewhere);
  remove_abandoned_drafts(corpus_);
  EXPECT_FALSE(fs::exists(dead));
  EXPECT_TRUE(fs::exists(living));
  EXPECT_TRUE(fs::exists(elsewhere));
  EXPECT_TRUE(fs::exists(users));
  EXPECT_TRUE(read_corpus(corpus_).value().empty());
}

TEST_F(FindingFolders, AFindingIsStoredOnceAndCompletely) {
  const Finding finding{.case_line = "conv2d x=[1] w=[50]",
                        .original_line = "conv2d x=[1] w=[50]",
                        .expected = {{1, 1, 1, 1}, {1}},
                        .actual = {{1, 1, 1, 1}, {0}},
                        .elements = {{.expected = 1, .actual = 0}},
                        .mismatch_class = "tie"};
  ASSERT_TRUE(add_finding(corpus_, finding));
  ASSERT_TRUE(add_finding(corpus_, finding));
  EXPECT_EQ(std::distance(fs::directory_iterator(corpus_), {}), 1);
  EXPECT_EQ(read_corpus(corpus_).value().size(), 1U);
  for (const char* file : {"case.txt", "finding.txt", "finding.json", "reproduce.py"}) {
    EXPECT_TRUE(fs::exists(corpus_ / folder_name(finding) / file)) << file;
  }
}

}  // namespace
}  // namespace tieout
