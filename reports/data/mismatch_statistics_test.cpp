#include "reports/data/mismatch_statistics.h"

#include <gtest/gtest.h>

namespace tieout {
namespace {

TEST(MismatchStatistics, CountsEveryDifferenceBySizeAndSign) {
  const Answers expected{{1, 1, 2, 3}, {10, 10, 10, 10, 255, 0}};
  const Answers actual{{1, 1, 2, 3}, {11, 9, 10, 11, 0, 255}};
  const MismatchStatistics statistics = mismatch_statistics(expected, actual);
  EXPECT_EQ(statistics.histogram, (std::map<std::int64_t, std::int64_t>{{-255, 1}, {-1, 1}, {1, 2}, {255, 1}}));
  EXPECT_EQ(statistics.signed_mean, 0.2);
  EXPECT_EQ(statistics.worst, 4);  // -255 comes before +255, which is as large
}

TEST(MismatchStatistics, ListsAffectedRowsAndColumnsOnceInOrder) {
  Answers expected{{2, 3, 2, 2}, std::vector<std::int32_t>(24)};
  Answers actual = expected;
  for (const std::size_t at : {1U, 3U, 21U}) actual.values[at] = 1;  // [0,0,0,1], [0,0,1,1], [1,2,0,1]
  const auto touched = mismatch_statistics(expected, actual).touched;
  ASSERT_EQ(touched.size(), 4U);
  EXPECT_EQ(touched[0], (TouchedDimension{"image", 2, {0, 1}}));
  EXPECT_EQ(touched[1], (TouchedDimension{"channel", 3, {0, 2}}));
  EXPECT_EQ(touched[2], (TouchedDimension{"row", 2, {0, 1}}));
  EXPECT_EQ(touched[3], (TouchedDimension{"column", 2, {1}}));
}

TEST(MismatchStatistics, EqualTensorsAffectNothing) {
  const Answers t{{1, 2, 1}, {3, 4}};
  const MismatchStatistics statistics = mismatch_statistics(t, t);
  EXPECT_TRUE(statistics.histogram.empty());
  EXPECT_EQ(statistics.signed_mean, 0);
  EXPECT_EQ(statistics.worst, -1);
  EXPECT_EQ(statistics.touched[1], (TouchedDimension{"channel", 2, {}}));
  EXPECT_EQ(statistics.touched[2].name, "column");
}

TEST(RangesText, JoinsNeighbours) {
  EXPECT_EQ(ranges_text({}), "");
  EXPECT_EQ(ranges_text({7}), "7");
  EXPECT_EQ(ranges_text({0, 1, 3, 5, 6, 7}), "0-1, 3, 5-7");
}

}  // namespace
}  // namespace tieout
