#include <tieout/gtest.h>

TEST(Pointwise, EqualsPyTorch) { EXPECT_TRUE(tieout::verified(POINTWISE, 1000, 7)); }

// A case on which an earlier version differed is kept as a regression test.
TEST(Pointwise, TheScalesAreMultipliedInFloat32) {
  EXPECT_TRUE(tieout::verified_case(POINTWISE, "conv2d xs=0.05 ws=0.005 os=0.005 x=[23] w=[30]"));
}
