#include "kernels/subject/subject_digest.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>

namespace tieout {
namespace {

TEST(SubjectDigest, FollowsTheFilesOfTheSubject) {
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("tieout-digest-" + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  const std::string file = folder / "kernel.py";
  const auto put = [&](const char* contents) { std::ofstream(file) << contents; };
  put("one");
  const std::string library = subject_digest(file);
  const std::string command = subject_digest("command:python3 '" + file + "' --fast");
  EXPECT_EQ(library.size(), 16U);
  EXPECT_EQ(subject_digest(file), library);
  EXPECT_NE(subject_digest("command:python3 '" + file + "'"), command);
  put("two");
  EXPECT_NE(subject_digest(file), library);
  EXPECT_NE(subject_digest("command:python3 '" + file + "' --fast"), command);
  put("one");
  EXPECT_EQ(subject_digest(file), library);
  EXPECT_EQ(subject_digest("command:python3 '" + file + "' --fast"), command);
  std::filesystem::remove_all(folder);
}

// A change is detected whether the file is overwritten, replaced by renaming another file, with other or with the same
// contents, or removed.
TEST(SubjectFiles, AreChangedByWhatReplacesThem) {
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("tieout-files-" + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  const std::string file = folder / "kernel.py";
  const auto put = [](const std::filesystem::path& path, const char* contents) { std::ofstream(path) << contents; };
  put(file, "one");
  const auto files = [&] {
    return std::array{SubjectFiles(file), SubjectFiles("command:python3 '" + file + "' --fast")};
  };
  const auto before = files();
  for (const SubjectFiles& same : before) EXPECT_EQ(same.change(), "");
  put(file, "three");
  for (const SubjectFiles& changed : before) EXPECT_EQ(changed.change().find(file + " was changed"), 0U);
  const auto between = files();
  put(folder / "new", "three");
  std::filesystem::rename(folder / "new", file);
  for (const SubjectFiles& changed : between) EXPECT_NE(changed.change(), "");
  const auto last = files();
  std::filesystem::remove(file);
  for (const SubjectFiles& changed : last) EXPECT_NE(changed.change(), "");
  std::filesystem::remove_all(folder);
  EXPECT_EQ(SubjectFiles("command:cat /dev/null").change(), "");
}

}  // namespace
}  // namespace tieout
