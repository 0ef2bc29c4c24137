#include "oracle/engines/known_defects.h"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include "cases/text/case_text.h"

namespace tieout {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string defect(const std::string& line, const Hardware& hardware = kVnniCpu) {
  const KnownDefect* found = known_defect(parse(line).value(), hardware);
  return found == nullptr ? "" : std::string(found->id);
}

bool touches_memory(const std::string& line) { return known_defect(parse(line).value(), kVnniCpu)->memory; }

TEST(KnownDefects, FbgemmGroupwiseRemainder) {
  const auto groupwise = [](int channels, int groups) {
    const std::string n = std::to_string(channels * groups);
    return "conv2d in_channels=" + n + " out_channels=" + n + " groups=" + std::to_string(groups) +
           " input=3 kernel=3 padding=1";
  };
  EXPECT_EQ(defect(groupwise(4, 5)), "fbgemm_groupwise_remainder");
  EXPECT_TRUE(touches_memory(groupwise(4, 5)));
  EXPECT_EQ(defect(groupwise(2, 18)), "fbgemm_groupwise_remainder");
  EXPECT_EQ(defect(groupwise(4, 8)), "");
  EXPECT_EQ(defect(groupwise(4, 3)), "");  // im2col
  EXPECT_EQ(defect(groupwise(8, 5)), "");  // one group fills a register
  EXPECT_EQ(defect(groupwise(4, 5), kAvx2Cpu), "fbgemm_groupwise_remainder");
  EXPECT_EQ(defect(groupwise(4, 6), kAvx2Cpu), "");
  EXPECT_EQ(defect(groupwise(4, 5) + " wz=1 engine=x86"), "fbgemm_groupwise_remainder");
  EXPECT_EQ(defect(groupwise(4, 5) + " engine=x86"), "");
  EXPECT_EQ(defect(groupwise(4, 5) + " engine=qnnpack"), "");
}

TEST(KnownDefects, FbgemmIm2colRgb) {
  const std::string stem = "conv2d in_channels=3 input=28x56 kernel=13x14 padding=6 stride=2";
  EXPECT_EQ(defect(stem), "fbgemm_im2col_rgb");  // 546 > 512, 14 x 28 = 392 > 384
  EXPECT_TRUE(touches_memory(stem));
  EXPECT_EQ(defect("conv2d in_channels=3 input=26x56 kernel=13x14 padding=6 stride=2"), "");  // 13 x 28 = 364 rows
  EXPECT_EQ(defect("conv2d in_channels=4 input=28x56 kernel=13x14 padding=6 stride=2"), "");
  const std::string small = "conv2d in_channels=3 input=14x16 kernel=9x10 padding=4 stride=2 isa=";
  EXPECT_EQ(defect(small + "avx512"), "fbgemm_im2col_rgb");
  EXPECT_EQ(defect(small + "avx2"), "");
  EXPECT_EQ(defect(small + "avx512_vnni"), "");
  EXPECT_EQ(defect(small + "native", {.avx512 = true}), "fbgemm_im2col_rgb");
}

TEST(KnownDefects, FbgemmDepthwise3d) {
  const std::string depthwise = "conv3d in_channels=8 out_channels=8 groups=8 ";
  EXPECT_EQ(defect(depthwise + "kernel=5 padding=2"), "fbgemm_depthwise3d_small");
  EXPECT_TRUE(touches_memory(depthwise + "kernel=5 padding=2"));
  EXPECT_EQ(defect(depthwise + "input=4 kernel=7 padding=3 stride=2"), "fbgemm_depthwise3d_small");
  EXPECT_EQ(defect(depthwise + "input=4 kernel=7 padding=3"), "");
  EXPECT_EQ(defect(depthwise + "kernel=3 padding=1"), "");  // one output, one row of padding
  const std::string narrow = depthwise + "input=9x8x2 kernel=3x5x5 stride=1x1x2 padding=1x2x2";
  EXPECT_EQ(defect(narrow), "");
  EXPECT_EQ(defect(narrow + " threads=4"), "fbgemm_depthwise3d_race");
  EXPECT_FALSE(touches_memory(narrow + " threads=4"));
  EXPECT_EQ(defect("conv2d in_channels=8 out_channels=8 groups=8 kernel=5 padding=2"), "");
}

TEST(KnownDefects, OnednnDepthwise) {
  const std::string twice = " engine=onednn groups=8 in_channels=8 out_channels=16 ";
  EXPECT_EQ(defect("conv2d input=64x1 kernel=3 padding=1 stride=1x2" + twice), "onednn_depthwise_width");
  EXPECT_EQ(defect("conv2d input=512x1 kernel=3 padding=1" + twice), "");
  EXPECT_EQ(
      defect("conv2d input=64x1 kernel=3 padding=1 stride=1x2 engine=onednn groups=8 in_channels=8 out_channels=8"),
      "");
  const std::string flat =
      "conv3d input=1x28x25 kernel=3 padding=1 stride=2x1x1 in_channels=16 out_channels=32 groups=16";
  EXPECT_EQ(defect(flat + " engine=onednn"), "onednn_depthwise_depth");
  EXPECT_EQ(defect(flat + " engine=x86"), "onednn_depthwise_depth");
  EXPECT_EQ(defect(flat + " engine=x86 wz=1"), "");
  EXPECT_EQ(defect(flat), "");
  EXPECT_EQ(defect(flat + " engine=onednn", kAvx2Cpu), "");
  EXPECT_TRUE(touches_memory(flat + " engine=onednn"));
}

TEST(KnownDefects, OnednnOneColumnOfOneChannel) {
  const std::string line = "conv2d input=1x2 kernel=2x2 stride=1x2 padding=1x0 engine=onednn";
  constexpr Hardware kOld{.avx512 = true, .avx512_vnni = true, .libtorch = {.major = 2, .minor = 9, .patch = 1}};
  EXPECT_EQ(defect(line, kOld), "onednn_depthwise_width");
  EXPECT_EQ(defect(line + "_pointwise", kOld), "onednn_depthwise_width");
  EXPECT_EQ(defect(line), "");
  EXPECT_EQ(defect(line + " in_channels=2", kOld), "");
  EXPECT_EQ(defect("conv2d input=1x4 kernel=2x2 stride=1x2 padding=1x0 engine=onednn", kOld), "");
}

// The tensors are small enough for the code with the other order of scales, which was observed with 1 to 4 threads.
TEST(KnownDefects, OnednnScaleOrder) {
  const std::string twice = " input=1x10 kernel=1x3 stride=1x2 engine=onednn groups=5 in_channels=5 ";
  EXPECT_EQ(defect("conv2d out_channels=10" + twice), "onednn_scale_order");
  EXPECT_EQ(defect("conv2d batch=99 out_channels=10" + twice), "");
  EXPECT_EQ(defect("conv2d out_channels=5" + twice), "");
  EXPECT_EQ(defect("conv2d input=1x10 kernel=1x3 stride=1x2 engine=onednn out_channels=10"), "");
}

// 16 bytes are read at the last pixel that is used, which is followed by one stride of pixels up to the end of the
// input.
TEST(KnownDefects, OnednnStridedPointwise) {
  const auto defect_at = [](const std::string& shape) { return defect("conv2d engine=onednn " + shape, kAvx2Cpu); };
  EXPECT_EQ(defect_at("in_channels=3 input=1x20 stride=1x2"), "onednn_strided_pointwise");
  EXPECT_EQ(defect_at("in_channels=3 input=20x1 stride=2x1"), "onednn_strided_pointwise");
  EXPECT_EQ(defect_at("in_channels=8 input=1x20 stride=1x2"), "");  // 16 bytes follow
  EXPECT_EQ(defect_at("in_channels=3 input=4x20 stride=2"), "");    // the next line's bytes follow
  EXPECT_EQ(defect_at("in_channels=3 input=1x20"), "");             // nothing is copied
  EXPECT_EQ(defect_at("in_channels=3 input=1x21 stride=1x2"), "");  // other code, because 2 does not divide 21
  EXPECT_EQ(defect_at("in_channels=3 input=1x20 stride=1x2 kernel=1x2"), "");
  EXPECT_EQ(defect("conv2d engine=onednn in_channels=3 input=1x20 stride=1x2"), "");
}

TEST(KnownDefects, OnednnZeroPoint) {
  const std::string in_padding = "conv2d padding=0x1 stride=1x3 engine=onednn";
  EXPECT_EQ(defect(in_padding + " xz=1"), "onednn_window_in_padding");
  EXPECT_EQ(defect(in_padding), "");
  EXPECT_EQ(defect("conv2d kernel=3 padding=2 input=5 xz=1 engine=onednn"), "");
  const std::string grouped =
      "conv2d in_channels=30 out_channels=144 groups=3 input=2x5 kernel=1x2 stride=2x3 engine=onednn";
  EXPECT_EQ(defect(grouped + " xz=255"), "onednn_grouped_zero_point");
  EXPECT_EQ(defect(grouped), "");
}

TEST(KnownDefects, OnednnDilatedPadding) {
  constexpr Hardware kOld{.avx512 = true, .avx512_vnni = true, .libtorch = {.major = 2, .minor = 14, .patch = 1}};
  const std::string stem = "conv2d stride=1x2 padding=0x1 engine=onednn";
  EXPECT_EQ(defect(stem + " dilation=1x2", kOld), "onednn_dilated_padding");
  EXPECT_EQ(defect(stem + " dilation=1x2"), "");  // 2.15
  EXPECT_EQ(defect(stem, kOld), "");
  EXPECT_EQ(defect("conv2d stride=1x3 padding=0x1 dilation=1x2 engine=onednn", kOld), "");  // one window, before it
  EXPECT_EQ(defect("conv2d stride=2x1 padding=1x0 dilation=2x1 engine=onednn", kOld), "");
  EXPECT_EQ(defect("conv2d input=1x2 stride=1x2 padding=0x1 dilation=1x3 engine=onednn", kOld), "");  // one reaches it
  EXPECT_EQ(defect("conv2d input=1x2 stride=1x3 padding=0x1 dilation=1x3 engine=onednn", kOld),
            "onednn_dilated_padding");
  EXPECT_EQ(defect("conv2d input=1x2 stride=1x3 padding=0x1 dilation=1x2 engine=onednn", kOld), "");
  EXPECT_EQ(defect(stem + " dilation=1x2 in_channels=2 out_channels=2 groups=2", kOld), "");
}

// Channels by width of the kernel, as measured (oracle/README.md).
TEST(KnownDefects, OnednnJoinedColumns) {
  const auto patch = [](int channels, int width, int stride) {
    return "conv2d in_channels=" + std::to_string(channels) + " input=1x" + std::to_string(width) + " kernel=1x" +
           std::to_string(width) + " stride=1x" + std::to_string(stride) + " engine=onednn";
  };
  const auto wrong = [&](int channels, int width, int stride) {
    return defect(patch(channels, width, stride), kAmxCpu) == "onednn_joined_columns";
  };
  for (const int width : {2, 3, 4, 5, 6, 7, 8, 16}) {
    EXPECT_EQ(wrong(8, width, width), width == 16) << width;
    EXPECT_EQ(wrong(16, width, width), width >= 8) << width;
    EXPECT_EQ(wrong(32, width, width), width % 2 == 0 && width >= 4) << width;
    EXPECT_EQ(wrong(48, width, width), width % 4 == 0) << width;
    for (const int channels : {4, 64, 128}) EXPECT_FALSE(wrong(channels, width, width)) << channels << ' ' << width;
    EXPECT_FALSE(wrong(32, width, 1)) << width;
  }
  EXPECT_FALSE(wrong(32, 4, 2));  // 64 channels, joined
  EXPECT_FALSE(wrong(32, 4, 3));
  EXPECT_EQ(defect(patch(32, 4, 4)), "onednn_joined_columns");  // VNNI
  EXPECT_EQ(defect(patch(32, 4, 4), kAvx2Cpu), "");
  EXPECT_THAT(defect(patch(32, 4, 4) + " padding=0x4", kAmxCpu), Not(HasSubstr("joined")));
  EXPECT_EQ(defect("conv2d in_channels=32 input=8x8 kernel=4 stride=4 engine=x86", kAmxCpu), "onednn_joined_columns");
}

}  // namespace
}  // namespace tieout
