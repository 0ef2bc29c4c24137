#include "kernels/subject_digest.h"

#include <gtest/gtest.h>
#include <unistd.h>

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

}  // namespace
}  // namespace tieout
