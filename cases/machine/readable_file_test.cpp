#include "cases/machine/readable_file.h"

#include <gtest/gtest.h>

#include <chrono>
#include <fstream>

namespace tieout {
namespace {

TEST(ReadableFile, GivesTheReason) {
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() /
      ("tieout-readable-" + std::to_string(std::chrono::steady_clock::now().time_since_epoch().count()));
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "file") << "one";
  std::ofstream(folder / "closed") << "one";
  std::filesystem::permissions(folder / "closed", std::filesystem::perms::none);
  EXPECT_EQ(find_read_error(folder / "file"), "");
  EXPECT_EQ(find_read_error(folder / "absent"), "there is no such file");
  EXPECT_EQ(find_read_error(folder), "it is not a regular file, but a folder");
  EXPECT_EQ(find_read_error("/dev/null"), "it is not a regular file, but a pipe, a socket or a device");
  EXPECT_EQ(find_read_error(folder / "file" / "below"), "there is no such file");
  // The superuser may read every file.
  const bool is_superuser = std::ifstream(folder / "closed").good();
  EXPECT_EQ(find_read_error(folder / "closed"), is_superuser ? "" : "it cannot be read: Permission denied");
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace tieout
