#include "kernels/subject/subject_digest.h"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <fstream>

#include "cases/testing/temporary_folder.h"

namespace tieout {
namespace {

using testing::StartsWith;

TEST(SubjectDigest, FollowsTheFilesOfTheSubject) {
  const TemporaryFolder folder("tieout-test-XXXXXX");  // words of a command are searched for files without spaces
  const std::string file = folder.in("kernel.py");
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
}

// A change is detected whether the file is overwritten, replaced by renaming another file, with other or with the same
// contents, or removed.
TEST(SubjectFiles, DetectEveryKindOfReplacement) {
  const TemporaryFolder folder("tieout-test-XXXXXX");  // words of a command are searched for files without spaces
  const std::string file = folder.in("kernel.py");
  const auto put = [](const std::filesystem::path& path, const char* contents) { std::ofstream(path) << contents; };
  put(file, "one");
  const auto files = [&] {
    return std::array{SubjectFiles(file), SubjectFiles("command:python3 '" + file + "' --fast")};
  };
  const auto before = files();
  for (const SubjectFiles& same : before) EXPECT_EQ(same.change(), "");
  put(file, "three");
  for (const SubjectFiles& changed : before) EXPECT_THAT(changed.change(), StartsWith(file + " was changed"));
  const auto between = files();
  put(folder / "new", "three");
  std::filesystem::rename(folder / "new", file);
  for (const SubjectFiles& changed : between) EXPECT_NE(changed.change(), "");
  const auto last = files();
  std::filesystem::remove(file);
  for (const SubjectFiles& changed : last) EXPECT_NE(changed.change(), "");
  EXPECT_EQ(SubjectFiles("command:cat /dev/null").change(), "");
}

}  // namespace
}  // namespace tieout
