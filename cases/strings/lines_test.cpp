#include "cases/strings/lines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tieout {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(SplitLines, ReturnsEveryLineWithoutItsNewline) {
  EXPECT_THAT(split_lines(""), IsEmpty());
  EXPECT_THAT(split_lines("a"), ElementsAre("a"));
  EXPECT_THAT(split_lines("a\n\nb\n"), ElementsAre("a", "", "b"));
  EXPECT_THAT(split_lines("\n"), ElementsAre(""));
}

TEST(JoinLines, IsReversedBySplitLines) {
  EXPECT_EQ(join_lines({}), "");
  EXPECT_EQ(join_lines({"a", "", "b"}), "a\n\nb\n");
  EXPECT_THAT(split_lines(join_lines({"", "x"})), ElementsAre("", "x"));
}

}  // namespace
}  // namespace tieout
