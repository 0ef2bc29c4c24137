#include "props/diagnose/tap_picture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cases/testing/parsed.h"

namespace tieout {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kWide = "conv2d input=1x5 kernel=1x3 dilation=1x2 xz=3 ws=[1] wz=[2] x=uniform w=uniform";

TEST(TapPicture, IsEmptyIfTheSamePositionsAreRead) {
  const ConvCase c = parse_case(kWide);
  EXPECT_THAT(tap_picture({}, c, 0), IsEmpty());
  EXPECT_THAT(tap_picture({{.slot = Slot::activation_zero_point, .formula = 0}}, c, 0), IsEmpty());
}

TEST(TapPicture, ShowsMisplacedTaps) {
  const KernelModel dense{{.slot = Slot::dilation, .formula = 1, .axis = 2}};
  EXPECT_THAT(tap_picture(dense, parse_case(kWide), 0),
              ElementsAre("window of output [0, 0, 0, 0], input channel 0: = right, > misplaced",
                          "        kw   0  1  2",  //
                          "  kh 0       =  >  >",  //
                          "tap [0, 1] reads x[0, 0, 0, 1] and not x[0, 0, 0, 2]",
                          "tap [0, 2] reads x[0, 0, 0, 2] and not x[0, 0, 0, 4]"));
}

TEST(TapPicture, ShowsPaddingThatIsRead) {
  const KernelModel unchecked{{.slot = Slot::inside, .formula = kUnchecked, .axis = 2}};
  const ConvCase c = parse_case("conv2d input=2x3 kernel=1x2 padding=0x1 xz=9 x=uniform w=uniform");
  EXPECT_THAT(tap_picture(unchecked, c, 3),
              ElementsAre("window of output [0, 0, 0, 3], input channel 0: = right, + read though it lies in padding",
                          "        kw   0  1",  //
                          "  kh 0       =  +",  //
                          "tap [0, 1] reads x[0, 0, 1, 0] and not padding"));
  EXPECT_THAT(tap_picture(unchecked, c, 0), IsEmpty());
}

TEST(TapPicture, ShowsHowOftenATapIsCounted) {
  const auto counted = [](std::int64_t times) {
    const EditCondition second{{{.left = Variable::tap, .right = 1}}};
    return KernelModel{{.slot = Slot::times, .times = {.times = times}, .when = second}};
  };
  const ConvCase c = parse_case("conv1d in_channels=2 out_channels=2 groups=2 input=3 kernel=3 x=uniform w=uniform");
  EXPECT_THAT(tap_picture(counted(2), c, 1),
              ElementsAre("window of output [0, 1, 0], input channel 1: = right, 2 counted 2 times",
                          "        kw   0  1  2", "             =  2  ="));
  EXPECT_THAT(tap_picture(counted(0), c, 1),
              ElementsAre("window of output [0, 1, 0], input channel 1: = right, - missing", "        kw   0  1  2",
                          "             =  -  ="));
}

TEST(TapPicture, ShowsEveryDepthOfAKernel) {
  const KernelModel first{{.slot = Slot::kernel_tap, .formula = 0, .axis = 0}};
  const ConvCase c = parse_case("conv3d input=2x1x1 kernel=2x1x1 x=uniform w=uniform");
  EXPECT_THAT(tap_picture(first, c, 0),
              ElementsAre("window of output [0, 0, 0, 0, 0], input channel 0: = right, > misplaced",
                          "              kw   0",  //
                          "  kd 0  kh 0       =",  //
                          "  kd 1  kh 0       >",  //
                          "tap [1, 0, 0] reads x[0, 0, 0, 0, 0] and not x[0, 0, 1, 0, 0]"));
}

}  // namespace
}  // namespace tieout
