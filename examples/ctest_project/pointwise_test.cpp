#include <tieout/gtest.h>

TEST(Pointwise, AnswersAsPyTorchDoes) { EXPECT_TRUE(tieout::verified(POINTWISE, 1000, 7)); }

// A difference that was found once is kept by its line.
TEST(Pointwise, TheScalesAreMultipliedInFloat32) {
  EXPECT_TRUE(tieout::verified_case(POINTWISE, "conv2d xs=0.05 ws=0.005 os=0.005 x=[23] w=[30]"));
}
