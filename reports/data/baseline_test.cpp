#include "reports/data/baseline.h"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "cases/testing/temporary_folder.h"

namespace tieout {
namespace {

using testing::HasSubstr;

class BaselineTest : public testing::Test {
 protected:
  [[nodiscard]] std::filesystem::path with(const std::string& text) const {
    std::ofstream(folder_ / "b.json", std::ios::binary) << text;
    return folder_ / "b.json";
  }

  [[nodiscard]] static std::string error(const std::filesystem::path& file) {
    const auto baseline = read_baseline(file);
    return baseline ? "" : baseline.error();
  }

  TemporaryFolder folder_;
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
  for (const std::filesystem::path& path : {folder_ / "fifo", folder_.path(), std::filesystem::path("/dev/zero")}) {
    EXPECT_THAT(error(path), HasSubstr("is not a regular file"));
  }
  EXPECT_THAT(error(folder_ / "absent"), HasSubstr("there is no such file"));
  EXPECT_THAT(error(with(std::string((4 << 20) + 1, ' '))), HasSubstr("longer than 4 MiB"));
}

TEST_F(BaselineTest, ReportsInvalidEntries) {
  EXPECT_THAT(error(with("")), HasSubstr("must be a JSON array"));
  EXPECT_THAT(error(with(std::string(100'000, '['))), HasSubstr("must be a JSON array"));
  EXPECT_THAT(error(with("[7]")), HasSubstr("entry 1 is no object"));
  EXPECT_THAT(error(with(R"([{"kind": "tie"}])")), HasSubstr("entry 1 has no 'reason'"));
  EXPECT_THAT(error(with(R"([{"reason": "all"}])")), HasSubstr("entry 1 would accept everything"));
  EXPECT_THAT(error(with(R"([{"kind": 1}])")), HasSubstr("'kind' must be a string"));
  EXPECT_THAT(error(with(R"([{"kinds": "tie"}])")), HasSubstr("entry 1 has 'kinds'"));
}

}  // namespace
}  // namespace tieout
