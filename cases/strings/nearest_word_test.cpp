#include "cases/strings/nearest_word.h"

#include <gtest/gtest.h>

namespace tieout {
namespace {

TEST(NearestWord, FindsTheIntendedWord) {
  const std::vector<std::string> known{"campaign", "check", "--cases", "--seed", "in_channels", "kernel"};
  EXPECT_EQ(nearest_word("campain", known), "campaign");
  EXPECT_EQ(nearest_word("chekc", known), "check");
  EXPECT_EQ(nearest_word("Check", known), "check");
  EXPECT_EQ(nearest_word("--case", known), "--cases");
  EXPECT_EQ(nearest_word("inchannels", known), "in_channels");
}

TEST(NearestWord, ReturnsNothingIfNoWordIsNear) {
  EXPECT_FALSE(nearest_word("report", {"campaign", "check"}));
  EXPECT_FALSE(nearest_word("check", {}));
  EXPECT_FALSE(nearest_word(std::string(100, 'x'), {std::string(101, 'x')}));
}

}  // namespace
}  // namespace tieout
