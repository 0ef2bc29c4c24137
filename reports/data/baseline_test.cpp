#include "reports/data/baseline.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

namespace tieout {
namespace {

class BaselineTest : public testing::Test {
 protected:
  BaselineTest() { std::filesystem::create_directories(folder_); }
  ~BaselineTest() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::filesystem::path with(const std::string& text) const {
    std::ofstream(folder_ / "b.json", std::ios::binary) << text;
    return folder_ / "b.json";
  }

  [[nodiscard]] static std::string error(const std::filesystem::path& file) {
    const auto baseline = read_baseline(file);
    return baseline ? "" : baseline.error();
  }

  std::filesystem::path folder_ = std::filesystem::temp_directory_path() / ("a baseline " + std::to_string(getpid()));
};

TEST_F(BaselineTest, IsRead) {
  const auto baseline = read_baseline(with(R"([{"kind": "tie", "reason": "as agreed", "link": "x"}])"));
  ASSERT_TRUE(baseline) << baseline.error();
  ASSERT_EQ(baseline->size(), 1U);
  EXPECT_EQ(baseline->front(), (KnownFinding{.kind = "tie", .reason = "as agreed", .link = "x"}));
}

// Files that never end or take too much memory are refused before they are read.
TEST_F(BaselineTest, IsARegularFileOfLimitedSize) {
  ASSERT_EQ(mkfifo((folder_ / "fifo").c_str(), 0600), 0);
  for (const std::filesystem::path& path : {folder_ / "fifo", folder_, std::filesystem::path("/dev/zero")}) {
    EXPECT_NE(error(path).find("is not a regular file"), std::string::npos) << error(path);
  }
  EXPECT_NE(error(folder_ / "absent").find("there is no such file"), std::string::npos);
  EXPECT_NE(error(with(std::string((4 << 20) + 1, ' '))).find("longer than 4 MiB"), std::string::npos);
}

TEST_F(BaselineTest, SaysWhatIsWrongWithAnEntry) {
  EXPECT_NE(error(with("")).find("must be a JSON array"), std::string::npos);
  EXPECT_NE(error(with(std::string(100'000, '['))).find("must be a JSON array"), std::string::npos);
  EXPECT_NE(error(with("[7]")).find("entry 1 is no object"), std::string::npos);
  EXPECT_NE(error(with(R"([{"kind": "tie"}])")).find("entry 1 has no 'reason'"), std::string::npos);
  EXPECT_NE(error(with(R"([{"reason": "all"}])")).find("entry 1 would accept everything"), std::string::npos);
  EXPECT_NE(error(with(R"([{"kind": 1}])")).find("'kind' must be a string"), std::string::npos);
  EXPECT_NE(error(with(R"([{"kinds": "tie"}])")).find("entry 1 has 'kinds'"), std::string::npos);
}

}  // namespace
}  // namespace tieout
