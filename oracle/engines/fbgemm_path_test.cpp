#include "oracle/engines/fbgemm_path.h"

#include <gtest/gtest.h>

namespace tieout {
namespace {

ConvCase depthwise() {
  return {
      .in_channels = 8, .out_channels = 8, .groups = 8, .input = {1, 5, 5}, .kernel = {1, 3, 3}, .padding = {0, 1, 1}};
}

ConvCase groupwise(std::int64_t channels, std::int64_t groups) {
  ConvCase c = depthwise();
  c.in_channels = c.out_channels = channels * groups;
  c.groups = groups;
  return c;
}

TEST(FbgemmPath, DepthwiseTakesOneOrTwoOutputsAChannel) {
  ConvCase c = depthwise();
  EXPECT_EQ(fbgemm_path(c, kVnniCpu), FbgemmPath::depthwise);
  c.out_channels = 16;
  EXPECT_EQ(fbgemm_path(c, kVnniCpu), FbgemmPath::depthwise);
  c.out_channels = 24;
  EXPECT_EQ(fbgemm_path(c, kVnniCpu), FbgemmPath::im2col);
}

TEST(FbgemmPath, DepthwiseNeedsItsGeometry) {
  const auto path = [](auto change) {
    ConvCase c = depthwise();
    change(c);
    return fbgemm_path(c, kVnniCpu);
  };
  EXPECT_EQ(path([](ConvCase& c) { c.in_channels = c.out_channels = c.groups = 12; }), FbgemmPath::im2col);
  EXPECT_EQ(path([](ConvCase& c) { c.kernel[1] = 5, c.padding[1] = 2; }), FbgemmPath::im2col);  // 5x3
  EXPECT_EQ(path([](ConvCase& c) { c.stride[1] = 2; }), FbgemmPath::depthwise);                 // 2x1
  EXPECT_EQ(path([](ConvCase& c) { c.stride[1] = 3; }), FbgemmPath::im2col);
  EXPECT_EQ(path([](ConvCase& c) { c.padding[2] = 0; }), FbgemmPath::im2col);
  EXPECT_EQ(path([](ConvCase& c) { c.dilation[2] = 2; }), FbgemmPath::im2col);
  EXPECT_EQ(path([](ConvCase& c) { c.dims = 3, c.kernel[0] = 5, c.padding[0] = 2; }), FbgemmPath::depthwise);  // mixed
}

TEST(FbgemmPath, GroupwiseNeedsARegisterFullOfGroups) {
  EXPECT_EQ(fbgemm_path(groupwise(4, 4), kVnniCpu), FbgemmPath::groupwise);
  EXPECT_EQ(fbgemm_path(groupwise(4, 3), kVnniCpu), FbgemmPath::im2col);
  EXPECT_EQ(fbgemm_path(groupwise(4, 2), kAvx2Cpu), FbgemmPath::groupwise);
  EXPECT_EQ(fbgemm_path(groupwise(2, 7), kVnniCpu), FbgemmPath::im2col);
  EXPECT_EQ(fbgemm_path(groupwise(8, 1), kVnniCpu), FbgemmPath::groupwise);  // an ordinary 8 to 8 convolution
  EXPECT_EQ(fbgemm_path(groupwise(32, 2), kVnniCpu), FbgemmPath::im2col);
}

TEST(FbgemmPath, PointwiseIsEveryPlainOneByOne) {
  EXPECT_EQ(fbgemm_path({.dims = 1, .input = {1, 1, 9}}, kVnniCpu), FbgemmPath::pointwise);
  EXPECT_EQ(fbgemm_path({.in_channels = 4, .out_channels = 2, .groups = 2}, kVnniCpu), FbgemmPath::pointwise);
  EXPECT_EQ(fbgemm_path({.stride = {1, 2, 2}}, kVnniCpu), FbgemmPath::im2col);
  EXPECT_EQ(fbgemm_path({.padding = {0, 0, 1}}, kVnniCpu), FbgemmPath::im2col);
}

TEST(FbgemmArithmetic, SaturationDependsOnPathForcedIsaAndHardware) {
  const auto products = [](FbgemmPath path, Isa isa, const Hardware& hardware) {
    return fbgemm_arithmetic(path, isa, hardware).products;
  };
  using Products = Arithmetic::Products;
  EXPECT_EQ(products(FbgemmPath::im2col, Isa::native, kVnniCpu), Products::exact);
  EXPECT_EQ(products(FbgemmPath::im2col, Isa::native, kAvx512Cpu), Products::int16_pairs);
  EXPECT_EQ(products(FbgemmPath::pointwise, Isa::avx2, kVnniCpu), Products::int16_pairs);
  EXPECT_EQ(products(FbgemmPath::groupwise, Isa::avx2, kVnniCpu), Products::exact);  // groupwise code tests the CPU
  EXPECT_EQ(products(FbgemmPath::groupwise, Isa::native, kAvx512Cpu), Products::int16_pairs);
  EXPECT_EQ(products(FbgemmPath::depthwise, Isa::avx512_vnni, kVnniCpu), Products::int16_pairs);
}

}  // namespace
}  // namespace tieout
