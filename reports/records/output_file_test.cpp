#include "reports/records/output_file.h"

#include <fcntl.h>
#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <thread>

#include "cases/testing/temporary_folder.h"

namespace tieout {
namespace {

using testing::HasSubstr;

namespace fs = std::filesystem;

class OutputFile : public testing::Test {
 protected:
  [[nodiscard]] fs::path in(const std::string& name) const { return folder_ / name; }

  fs::path make(const std::string& name, const std::string& text) const {
    std::ofstream(in(name)) << text;
    return in(name);
  }

  static struct stat status_of(const fs::path& file) {
    struct stat status{};
    EXPECT_EQ(lstat(file.c_str(), &status), 0) << file;
    return status;
  }

  [[nodiscard]] std::set<std::string> names() const {
    std::set<std::string> found;
    for (const auto& entry : fs::directory_iterator(folder_)) found.insert(entry.path().filename().string());
    return found;
  }

  TemporaryFolder temporary_;
  fs::path folder_ = temporary_.path();
};

TEST_F(OutputFile, CreatesFoldersAndReplacesFiles) {
  EXPECT_TRUE(write_file(in("a/b/report"), "one, and longer"));
  EXPECT_TRUE(write_file(in("a/b/report"), "two"));
  EXPECT_EQ(read(in("a/b/report")), "two");
}

TEST_F(OutputFile, ChangesOnlyItsFile) {
  const std::set<std::string> before{"report", "report.new", "report.probe", "report.draft", ".tieout"};
  for (const std::string& name : before) make(name, name);
  EXPECT_TRUE(check_writable(in("report")));
  EXPECT_EQ(read(in("report")), "report");
  EXPECT_TRUE(check_writable(in("other")));
  EXPECT_TRUE(write_file(in("report"), "text"));
  EXPECT_EQ(names(), before);
  for (const std::string& name : before) EXPECT_EQ(read(in(name)), name == "report" ? "text" : name);
}

TEST_F(OutputFile, KeepsModeAndOwner) {
  const fs::path file = make("report", "old");
  ASSERT_EQ(chmod(file.c_str(), 0600), 0);
  const bool is_root = chown(file.c_str(), 12, 34) == 0;
  ASSERT_TRUE(write_file(file, "text"));
  EXPECT_EQ(status_of(file).st_mode & 07777U, 0600U);
  if (is_root) {
    EXPECT_EQ(status_of(file).st_uid, 12U);
    EXPECT_EQ(status_of(file).st_gid, 34U);
  }
}

TEST_F(OutputFile, ANewFileHasTheModeThatTheUmaskLeaves) {
  const mode_t before = umask(027);
  const auto written = write_file(in("report"), "text");
  umask(before);
  ASSERT_TRUE(written);
  EXPECT_EQ(status_of(in("report")).st_mode & 07777U, 0640U);
}

TEST_F(OutputFile, FollowsSymbolicLinks) {
  const fs::path file = make("report", "old");
  fs::create_symlink("report", in("link"));
  fs::create_symlink(in("link"), in("link to a link"));
  fs::create_symlink("absent", in("dangling"));
  ASSERT_TRUE(check_writable(in("dangling")));
  ASSERT_TRUE(write_file(in("link to a link"), "text"));
  ASSERT_TRUE(write_file(in("dangling"), "new"));
  EXPECT_EQ(read(file), "text");
  EXPECT_EQ(read(in("absent")), "new");
  for (const char* link : {"link", "link to a link", "dangling"}) EXPECT_TRUE(fs::is_symlink(in(link))) << link;
  fs::create_symlink("circle", in("circle"));
  EXPECT_FALSE(write_file(in("circle"), "text"));
}

TEST_F(OutputFile, KeepsTheOtherNamesOfAFile) {
  const fs::path file = make("report", "old text");
  fs::create_hard_link(file, in("other"));
  ASSERT_TRUE(write_file(file, "new"));
  EXPECT_EQ(read(in("other")), "new");
}

TEST_F(OutputFile, WritesToPipesDirectly) {
  ASSERT_EQ(mkfifo(in("pipe").c_str(), 0600), 0);
  ASSERT_TRUE(check_writable(in("pipe")));  // opening the pipe would wait for a reader forever
  std::string got;
  std::thread reader([&] { got = read(in("pipe")); });
  const auto written = write_file(in("pipe"), "text");
  reader.join();
  EXPECT_TRUE(written);
  EXPECT_EQ(got, "text");
  EXPECT_TRUE(S_ISFIFO(status_of(in("pipe")).st_mode));
}

TEST_F(OutputFile, APipeWithoutReaderIsAnError) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  close(ends[0]);
  const auto written = write_file("/dev/fd/" + std::to_string(ends[1]), "text");
  close(ends[1]);
  ASSERT_FALSE(written);
  EXPECT_THAT(written.error(), HasSubstr("Broken pipe"));
}

TEST_F(OutputFile, WritesToDevicesDirectly) {
  fs::create_symlink("/dev/null", in("link"));
  for (const fs::path& file : {fs::path("/dev/null"), in("link")}) {
    EXPECT_TRUE(check_writable(file));
    EXPECT_TRUE(write_file(file, "text"));
  }
  EXPECT_TRUE(S_ISCHR(status_of("/dev/null").st_mode));
  EXPECT_TRUE(fs::is_symlink(in("link")));
  const auto full = write_file("/dev/full", "text");
  ASSERT_FALSE(full);
  EXPECT_THAT(full.error(), HasSubstr("No space left on device"));
}

// The shell's redirection has opened the file, and the text that it already has must stay.
TEST_F(OutputFile, WritesToOpenDescriptorsAtTheirPosition) {
  const int descriptor = open(in("log").c_str(), O_WRONLY | O_CREAT, 0600);
  ASSERT_EQ(write(descriptor, "head ", 5), 5);
  ASSERT_TRUE(write_file("/dev/fd/" + std::to_string(descriptor), "text"));
  ASSERT_TRUE(write_file("/proc/self/fd/" + std::to_string(descriptor), " tail"));
  close(descriptor);
  EXPECT_EQ(read(in("log")), "head text tail");
}

TEST_F(OutputFile, UnwritableFilesAreAnError) {
  for (const fs::path& file : {fs::path("/proc/nowhere/report"), folder_, folder_ / "", make("file", "") / "report"}) {
    const auto writable = check_writable(file);
    const auto written = write_file(file, "text");
    ASSERT_FALSE(writable) << file;
    ASSERT_FALSE(written) << file;
    EXPECT_THAT(written.error(), HasSubstr("cannot write " + file.string()));
  }
}

TEST_F(OutputFile, OnlyDraftsOfEndedProcessesAreRemoved) {
  const fs::path ours = make(unused_path_beside(in("report")).filename().string(), "");
  const pid_t child = fork();
  if (child == 0) {
    const std::string name = unused_path_beside(in("report")).filename().string();
    make(name, "");
    make(name + "-journal", "");
    make(name + "-mine", "");  // a file of the user
    _exit(0);
  }
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  ASSERT_EQ(names().size(), 4U);
  remove_abandoned_drafts(folder_);
  EXPECT_TRUE(fs::exists(ours));
  ASSERT_EQ(names().size(), 2U);
  EXPECT_TRUE(names().rbegin()->ends_with("-mine") || names().begin()->ends_with("-mine"));
}

TEST_F(OutputFile, FileIdentityIgnoresNames) {
  const fs::path file = make("report", "old");
  fs::create_symlink("report", in("link"));
  fs::create_symlink(".", in("folder"));
  fs::create_hard_link(file, in("hard"));
  make("other", "old");
  const std::string identity = file_identity(file);
  EXPECT_FALSE(identity.empty());
  for (const fs::path& same : {in("./report"), in("link"), in("folder/report"), in("hard")}) {
    EXPECT_EQ(file_identity(same), identity) << same;
  }
  EXPECT_NE(file_identity(in("other")), identity);
  EXPECT_EQ(file_identity(in("absent")), file_identity(in("folder/./absent")));
  EXPECT_NE(file_identity(in("absent")), file_identity(in("absent too")));
  EXPECT_EQ(file_identity("/dev/null"), "");
  EXPECT_EQ(file_identity("-"), file_identity("/dev/stdout"));
}

}  // namespace
}  // namespace tieout
