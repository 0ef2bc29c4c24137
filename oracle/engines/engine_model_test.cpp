#include "oracle/engines/engine_model.h"

#include <gtest/gtest.h>

#include "cases/contents.h"
#include "cases/testing/parsed.h"
#include "cases/text/case_text.h"

namespace tieout {
namespace {

using Values = std::vector<std::int32_t>;

Values predicted(const std::string& line, const Hardware& hardware = kVnniCpu) {
  const ConvCase c = parse(line).value();
  return predict(with_contents(c), c.execution.engine, hardware).values;
}

struct Fused {
  int x, w;
  const char *scales, *bias;
  int pointwise, depthwise, per_channel;
};

// The expected values are LibTorch's, measured. os = 2 * xs * ws, so that every multiplier is one half and the bias
// decides the tie.
TEST(FbgemmModel, HowTheBiasIsAdded) {
  for (const Fused& f : {Fused{11, 6, "xs=0.01 ws=%s0.02%s os=0.0004", "-0.0138", 19, 18, 18},
                         Fused{12, -1, "xs=0.07 ws=%s0.07%s os=0.0098", "0.093099996", 23, 24, 24},
                         Fused{11, -3, "xs=0.6 ws=%s0.005%s os=0.006", "0.078", 17, 17, 16}}) {
    const auto line = [&](const std::string& head, int channels, int taps, bool per_channel) {
      std::string scales = f.scales;
      scales.replace(scales.find("%s"), 2, per_channel ? "[" + std::to_string(channels) + "*" : "");
      scales.replace(scales.find("%s"), 2, per_channel ? "]" : "");
      const std::string zero_points = per_channel ? " wz=[" + std::to_string(channels) + "*0]" : "";
      const std::string n = std::to_string(channels);
      return head + " " + scales + zero_points + " oz=20 bias=[" + n + "*" + f.bias + "] x=[" + n + "*" +
             std::to_string(f.x) + "] w=[" + std::to_string(channels * taps) + "*" + std::to_string(f.w) + "]";
    };
    const std::string depthwise = "conv2d in_channels=8 out_channels=8 groups=8 kernel=3 padding=1";
    EXPECT_EQ(predicted(line("conv2d", 1, 1, false)).front(), f.pointwise);
    EXPECT_EQ(predicted(line("conv2d", 1, 1, true)).front(), f.per_channel);
    EXPECT_EQ(predicted(line(depthwise, 8, 9, false)), Values(8, static_cast<std::uint8_t>(f.depthwise)));
    EXPECT_EQ(predicted(line(depthwise, 8, 9, true)), Values(8, static_cast<std::uint8_t>(f.per_channel)));
  }
}

TEST(FbgemmModel, WhereProductsSaturateInPairs) {
  const std::string pair = "conv2d in_channels=2 os=512 x=[2*255] w=[2*127]";
  EXPECT_EQ(predicted(pair), Values{127});
  EXPECT_EQ(predicted(pair + " isa=avx2"), Values{64});
  EXPECT_EQ(predicted(pair + " isa=avx512_vnni_256"), Values{127});
  EXPECT_EQ(predicted(pair, kAvx2Cpu), Values{64});
  // Depthwise code is the same on every machine; 8 to 16 channels are depthwise, 8 to 24 are not.
  const std::string depthwise = "conv2d in_channels=8 groups=8 input=3 kernel=3 padding=1 os=2048 x=[72*255] ";
  EXPECT_EQ(predicted(depthwise + "out_channels=8 w=[72*127]")[4], 80);
  EXPECT_EQ(predicted(depthwise + "out_channels=16 w=[144*127]")[0], 48);
  EXPECT_EQ(predicted(depthwise + "out_channels=24 w=[216*127]")[0], 63);
}

// An ordinary 8 to 8 convolution takes groupwise code, which tests the CPU and not the forced instruction set.
TEST(FbgemmModel, GroupwiseFollowsTheHardware) {
  const std::string line = "conv2d in_channels=8 input=3 kernel=3 padding=1 os=20000 isa=avx2 x=[72*255] ";
  EXPECT_EQ(predicted(line + "out_channels=8 w=[576*127]")[0], 52);
  EXPECT_EQ(predicted(line + "out_channels=9 w=[648*127]")[0], 26);
  EXPECT_EQ(predicted(line + "out_channels=8 w=[576*127]", kAvx2Cpu)[0], 26);
}

TEST(FbgemmModel, DepthwiseSumOfActivationsSaturates) {
  const std::string line =
      "conv3d in_channels=8 out_channels=8 groups=8 input=3x7x7 kernel=3x7x7 padding=1x3x3 wz=-1 os=1000 "
      "x=[1176*255] w=[1176*0]";
  EXPECT_EQ(predicted(line)[(7 + 3) * 7 + 3], 33);  // (1, 3, 3), whose exact sum is 37
}

TEST(FbgemmModel, BeyondInt32IsTheLeastInt32) {
  EXPECT_EQ(predicted("conv1d xs=1000 ws=1000 x=[255] w=[127]"), Values{0});
  EXPECT_EQ(predicted("conv1d xs=1000 ws=1000 oz=9 relu x=[255] w=[127]"), Values{9});
  EXPECT_EQ(predicted("conv1d xs=1000 ws=60 x=[255] w=[127]"), Values{255});  // 1943100000
}

TEST(OnednnModel, ZeroPointBeforeRoundingReluBeforeScaling) {
  EXPECT_EQ(predicted("conv1d ws=0.5 oz=1 engine=onednn x=[1] w=[1]"), Values{2});
  EXPECT_EQ(predicted("conv1d oz=20 relu engine=onednn x=[5] w=[-1]"), Values{20});
  EXPECT_EQ(predicted("conv1d xs=1000 ws=1000 engine=onednn x=[255] w=[127]"), Values{255});
  // 0 * inf is NaN, which gives the largest output without relu and the output for 0 with it.
  EXPECT_EQ(predicted("conv1d xs=3e38 ws=3e38 os=3e38 bias=[-inf] engine=onednn x=[9] w=[1]"), Values{255});
  EXPECT_EQ(predicted("conv1d xs=3e38 ws=3e38 os=3e38 bias=[-inf] oz=7 relu engine=onednn x=[9] w=[1]"), Values{7});
}

// xs * ws is 2^150, which is infinite in float32 if it is multiplied first, as in 3-d depthwise code with a dilation.
TEST(OnednnModel, OrderOfScales) {
  const std::string line =
      "conv3d in_channels=2 out_channels=2 groups=2 xs=1.2379400392853803e27 ws=1.1529215046068470e18 "
      "os=1.3292279957849159e36 oz=7 x=[0,0] w=[1,1] engine=onednn";
  EXPECT_EQ(predicted(line), (Values{7, 7}));
  EXPECT_EQ(predicted(line + " dilation=1x1x2"), (Values{255, 255}));
}

// The expected codes follow from LibTorch's results without VNNI, measured on a Zen 3.
TEST(OnednnModel, CodeWithoutVnni) {
  const auto code = [](const std::string& line) { return onednn_code(parse(line).value(), kAvx2Cpu); };
  EXPECT_EQ(code("conv2d in_channels=3"), OnednnCode::pointwise);
  EXPECT_EQ(code("conv2d in_channels=3 input=4x4 stride=2"), OnednnCode::pointwise);
  EXPECT_EQ(code("conv2d in_channels=3 input=5x5 stride=2"), OnednnCode::int16_pairs);
  EXPECT_EQ(code("conv3d in_channels=3 input=4x4x4 stride=2"), OnednnCode::int16_pairs);
  EXPECT_EQ(code("conv2d in_channels=3 padding=1"), OnednnCode::int16_pairs);
  EXPECT_EQ(code("conv2d in_channels=3 groups=3 out_channels=3 kernel=3 padding=1"), OnednnCode::depthwise);
  EXPECT_EQ(code("conv3d in_channels=3 groups=3 out_channels=3 kernel=3 padding=1"), OnednnCode::reference);
  EXPECT_EQ(code("conv2d in_channels=8 groups=2 out_channels=24"), OnednnCode::int16_pairs);
  EXPECT_EQ(code("conv2d in_channels=8 groups=2 out_channels=4"), OnednnCode::reference);
  EXPECT_EQ(code("conv2d in_channels=4 groups=2 out_channels=8"), OnednnCode::reference);
  EXPECT_EQ(onednn_code(parse("conv2d in_channels=3").value(), {.avx_vnni = true}), OnednnCode::vnni);
}

TEST(OnednnModel, WithoutVnniPairsSaturateInsideOfAKernelPosition) {
  const std::string pair = "conv2d os=512 engine=onednn w=[4*127] x=[4*255] in_channels=";
  EXPECT_EQ(predicted(pair + "4", kAvx2Cpu), Values{128});
  EXPECT_EQ(predicted(pair + "4"), Values{253});
  // With three channels at two positions, the third channel and the next position's first one are a pair of FBGEMM's
  // but not of oneDNN's.
  const std::string odd = "conv2d in_channels=3 input=1x2 kernel=1x2 os=512 x=[6*255] ";
  EXPECT_EQ(predicted(odd + "w=[0,127,0,0,127,0]", kAvx2Cpu), Values{64});
  EXPECT_EQ(predicted(odd + "w=[0,127,0,0,127,0] engine=onednn", kAvx2Cpu), Values{127});
  EXPECT_EQ(predicted(odd + "w=[0,127,0,127,0,0]", kAvx2Cpu), Values{127});
  EXPECT_EQ(predicted(odd + "w=[0,127,0,127,0,0] engine=onednn", kAvx2Cpu), Values{64});
  // Padding does not saturate with anything: one pair saturates, and not three.
  EXPECT_EQ(
      predicted("conv2d in_channels=2 kernel=3x1 padding=1x0 xz=255 os=256 oz=128 x=[2*255] w=[6*127] engine=onednn",
                kAvx2Cpu),
      Values{3});
}

// The expected codes and values follow from LibTorch's results with oneDNN restricted to AVX512_CORE, measured on a
// Zen 4.
TEST(OnednnModel, Avx512WithoutVnni) {
  const auto code = [](const std::string& line) { return onednn_code(parse(line).value(), kAvx512Cpu); };
  EXPECT_EQ(code("conv2d in_channels=3"), OnednnCode::avx512_pairs);
  EXPECT_EQ(code("conv2d in_channels=8 groups=2 out_channels=4"), OnednnCode::avx512_pairs);
  EXPECT_EQ(code("conv2d in_channels=3 groups=3 out_channels=3 kernel=3 padding=1"), OnednnCode::vnni);
  EXPECT_EQ(code("conv3d in_channels=3 groups=3 out_channels=3 kernel=3 padding=1"), OnednnCode::avx512_gemm);
  const std::string line = "conv2d in_channels=1040 os=0.5 oz=128 xz=128 x=[1039*128,129] w=[1039*127,1] engine=onednn";
  EXPECT_EQ(predicted(line, kAvx512Cpu), Values{130});
  EXPECT_EQ(predicted("conv2d os=512 engine=onednn w=[4*127] x=[4*255] in_channels=4", kAvx512Cpu), Values{128});
  const std::string nan = " xs=3e38 ws=3e38 os=3e38 oz=7 engine=onednn bias=[-inf] x=[9] w=[1]";
  EXPECT_EQ(predicted("conv1d" + nan, kAvx512Cpu), Values{255});
  // Reference code runs on small tensors, where pairs do not saturate.
  const ConvProblem small = parse_problem(
      "conv3d in_channels=2 out_channels=2 groups=2 kernel=2x1x1 input=2x1x1 os=512 engine=onednn x=[4*255] w=[4*127]");
  EXPECT_EQ(predict(small, Engine::onednn, kAvx512Cpu).values, (Values{64, 64}));
  EXPECT_EQ(predict_other(small, Engine::onednn, kAvx512Cpu).value().values, (Values{127, 127}));
  EXPECT_EQ(predict_other(small, Engine::onednn, {.avx512 = true, .libtorch = {2, 9, 1}}), std::nullopt);
}

// The expected values are LibTorch's, measured. The operator gets the scales as they are, and not their reciprocals.
TEST(OnednnPointwiseModel, ScalesAreAsGiven) {
  const std::string line = "conv2d xs=0.01 ws=0.06 os=0.03 x=[25] w=[3] engine=";
  for (const Hardware& hardware : {kVnniCpu, kAvx512Cpu, kAvx2Cpu}) {
    EXPECT_EQ(predicted(line + "onednn_pointwise", hardware), Values{2});
    EXPECT_EQ(predicted(line + "onednn", hardware), Values{1});
  }
}

// An int8 output adds the zero point of int8, in float32, before rounding. The values are 128 above the stored ones.
TEST(OnednnPointwiseModel, Int8Outputs) {
  const std::string tie = "conv2d ws=0.5 ytype=int8 x=[1] w=[1] engine=";
  EXPECT_EQ(predicted(tie + "onednn_pointwise oz=1"), Values{130});
  EXPECT_EQ(predicted(tie + "onednn_pointwise oz=-2"), Values{126});
  const std::string nan = " ytype=int8 xs=3e38 ws=3e38 os=3e38 oz=7 engine=onednn_pointwise bias=";
  EXPECT_EQ(predicted("conv1d x=[9] w=[1]" + nan + "[-inf]"), Values{0});
  EXPECT_EQ(predicted("conv1d x=[9] w=[1]" + nan + "[-inf]", kAvx2Cpu), Values{0});
  const std::string two = " in_channels=2 out_channels=2 groups=2 x=[9,9] w=[1,1]" + nan + "[-inf,-inf]";
  EXPECT_EQ(predicted("conv2d" + two), (Values{0, 0}));
  EXPECT_EQ(predicted("conv2d" + two, kAvx2Cpu), (Values{255, 255}));
  EXPECT_EQ(predicted("conv3d" + two, kAvx2Cpu), (Values{128, 128}));
}

// Returns the prediction for AMX code. The expected values below are LibTorch's, measured on a Sapphire Rapids.
Values predicted_with_amx(const std::string& line) {
  const ConvProblem problem = parse_problem(line);
  return predict_other(problem, Engine::onednn, kAmxCpu).value().values;
}

TEST(OnednnModel, AmxIsASecondPredictionForAllButDepthwise) {
  const auto other = [](const std::string& line, const Hardware& hardware) {
    return onednn_other_code(parse(line).value(), hardware);
  };
  EXPECT_EQ(other("conv2d in_channels=3", kAmxCpu), OnednnCode::amx);
  EXPECT_EQ(other("conv2d in_channels=8 groups=8 out_channels=8 kernel=3 padding=1", kAmxCpu), std::nullopt);
  EXPECT_EQ(other("conv2d in_channels=3", {.avx512 = true, .avx512_vnni = true}), std::nullopt);
}

// 66000 * 255 * -128 wraps to a positive sum. The zero point is taken out in float32, where nothing wraps back.
TEST(OnednnModel, AmxTakesTheZeroPointOutInFloat32) {
  const std::string line = "conv2d in_channels=66000 os=33554432 oz=128 x=[66000*255] w=[66000*-128] engine=onednn xz=";
  EXPECT_EQ(predicted_with_amx(line + "0"), Values{192});
  EXPECT_EQ(predicted_with_amx(line + "100"), Values{217});
  EXPECT_EQ(predicted_with_amx(line + "255"), Values{255});
  EXPECT_EQ(predicted(line + "100"), Values{89});
}

// fl(100773 * fl(xs' * ws)) and fl(fl(100773 * xs') * ws) lie on different sides of a tie.
TEST(OnednnModel, AmxMultipliesByTheProductOfTheScales) {
  const std::string line =
      "conv2d in_channels=4 xs=0.09 ws=0.6 os=3 bias=[-5125.2427] x=[255,255,255,201] w=[127,127,127,18] engine=onednn";
  EXPECT_EQ(predicted_with_amx(line), Values{106});
  EXPECT_EQ(predicted(line), Values{105});
}

// The sum of products, 16890113, is not a float32 number; the zero point takes out all of it but 1.
TEST(OnednnModel, WithoutVnniPointwiseTakesTheZeroPointOutInFloat32) {
  const std::string line = "conv2d in_channels=1040 os=0.5 oz=128 xz=128 x=[1039*128,129] w=[1039*127,1] engine=onednn";
  EXPECT_EQ(predicted(line, kAvx2Cpu), Values{128});
  EXPECT_EQ(predicted(line), Values{130});
}

// 0 * inf is NaN. ZeroPointBeforeRoundingReluBeforeScaling tests the results of VNNI code.
TEST(OnednnModel, WithoutVnniNanIsZero) {
  const std::string nan = " xs=3e38 ws=3e38 os=3e38 oz=7 engine=onednn bias=[-inf] x=[9] w=[1]";
  EXPECT_EQ(predicted("conv1d" + nan, kAvx2Cpu), Values{0});
  EXPECT_EQ(predicted("conv1d relu" + nan, kAvx2Cpu), Values{7});
  const std::string two =
      " in_channels=2 out_channels=2 groups=2 xs=3e38 ws=3e38 os=3e38 oz=7 engine=onednn "
      "bias=[-inf,-inf] x=[9,9] w=[1,1]";
  EXPECT_EQ(predicted("conv2d relu" + two, kAvx2Cpu), (Values{7, 7}));
  EXPECT_EQ(predicted("conv3d relu" + two, kAvx2Cpu), (Values{0, 0}));  // NaN passes relu
}

// quantized::linear has the sums of a 1x1 convolution, by the forced instruction set, and its bias.
TEST(FbgemmModel, LinearIsAMatrixProduct) {
  const std::string pair = "linear in_features=2 os=512 x=[2*255] w=[2*127]";
  EXPECT_EQ(predicted(pair), Values{127});
  EXPECT_EQ(predicted(pair + " isa=avx2"), Values{64});
  EXPECT_EQ(predicted(pair, kAvx2Cpu), Values{64});
  const std::string tie = " os=0.0004 oz=20 bias=[-0.0138] x=[11] w=[6]";
  EXPECT_EQ(predicted("linear xs=0.01 ws=0.02" + tie), Values{19});
  EXPECT_EQ(predicted("linear xs=0.01 ws=[0.02]" + tie), Values{18});
  EXPECT_EQ(x86_picks(parse("linear engine=x86").value(), kVnniCpu), Engine::fbgemm);
}

// The expected values are LibTorch's, measured on a Zen 5, and without VNNI on the same machine with oneDNN held to
// AVX2.
TEST(OnednnModel, LinearInvertsTheWeightScalesTwice) {
  // Per tensor fl(1 / fl(1 / ws)) with the inner quotient in double; fl(ws), as convolutions have it, gives 46.
  const std::string tensor =
      "in_features=4 xs=52.907 bias=[6015377] x=[2*222,96,98] w=[-100,-9,103,120] engine=onednn ";
  EXPECT_EQ(predicted("linear " + tensor + "ws=44.58678737038332"), Values{47});
  // Per channel the inner quotient is float32.
  EXPECT_EQ(predicted("linear " + tensor + "ws=[44.58678737038332]"), Values{46});
  const std::string channel =
      "in_features=9 xs=0.09 xz=243 os=0.002 oz=255 bias=[61.691845] x=[0,3*255,0,255,0,2*255] "
      "w=[51,20,-11,56,61,-55,90,-89,75] engine=onednn ";
  EXPECT_EQ(predicted("linear " + channel + "ws=[0.014]"), Values{146});
  EXPECT_EQ(predicted("linear " + channel + "ws=0.014"), Values{147});
}

TEST(OnednnModel, LinearRunsOtherCodeWithAZeroPoint) {
  // The reference code divides by the scale, and the other code multiplies by its reciprocal.
  EXPECT_EQ(predicted("linear os=0.05631476268172264 bias=[7.6306496] x=[0] w=[0] engine=onednn"), Values{135});
  EXPECT_EQ(predicted("linear xz=1 os=0.05631476268172264 bias=[7.6306496] x=[1] w=[0] engine=onednn"), Values{136});
  EXPECT_EQ(predicted("linear os=0.11121732741594315 bias=[26.747768] x=[0] w=[0] engine=onednn"), Values{240});
  EXPECT_EQ(predicted("linear xz=1 os=0.11121732741594315 bias=[26.747768] x=[1] w=[0] engine=onednn"), Values{241});
  EXPECT_EQ(onednn_code(parse("linear xz=1").value(), kAvx2Cpu), OnednnCode::matmul_pairs);
  EXPECT_EQ(onednn_code(parse("linear xz=1").value(), kVnniCpu), OnednnCode::matmul_reference);
  EXPECT_EQ(onednn_code(parse("linear").value(), {.avx_vnni = true}), OnednnCode::matmul);
}

TEST(OnednnModel, LinearSaturatesPairsWithoutVnni) {
  const std::string pair = "linear in_features=2 os=512 x=[2*255] w=[48,82] engine=onednn";
  EXPECT_EQ(predicted(pair), Values{65});
  EXPECT_EQ(predicted(pair, kAvx2Cpu), Values{64});
  // The zero point is taken out of the saturated sum.
  EXPECT_EQ(predicted("linear in_features=2 xz=240 x=[2*240] w=[-9,-128] engine=onednn", kAvx2Cpu), Values{112});
}

// The expected values are those of LibTorch 2.9.1, measured like the ones above.
TEST(OnednnModel, LinearBefore211) {
  constexpr LibTorchVersion k29{.major = 2, .minor = 9, .patch = 1};
  const std::string order = "linear xs=0.1 ws=0.2 x=[5] w=[5] engine=onednn";
  EXPECT_EQ(predicted(order), Values{0});
  EXPECT_EQ(predicted(order, {.avx512 = true, .avx512_vnni = true, .libtorch = k29}), Values{1});
  EXPECT_EQ(onednn_code(parse("linear xz=1").value(), {.avx_vnni = true, .libtorch = k29}), OnednnCode::matmul_product);
  // Of 257 features the first block has 129, so that features 129 and 130 are a pair, and 128 and 129 are not.
  const auto blocks = [&](const std::string& w) {
    return predicted("linear in_features=257 os=512 x=[257*255] engine=onednn w=" + w, {.libtorch = k29});
  };
  EXPECT_EQ(blocks("[129*0,2*127,126*0]"), Values{64});
  EXPECT_EQ(blocks("[128*0,2*127,127*0]"), Values{127});
  EXPECT_EQ(blocks("[2*127,255*0]"), Values{64});
}

// The expected values were measured with LibTorch 2.15.0, by ONEDNN_MAX_CPU_ISA.
TEST(OnednnModel, LinearOfPyTorch2ExportTakesScalesAsTheyAre) {
  const std::string line =
      "linear in_features=4 xs=52.907 ws=44.58678737038332 bias=[6015377] x=[2*222,96,98] "
      "w=[-100,-9,103,120] engine=onednn";
  EXPECT_EQ(predicted(line), Values{47});
  EXPECT_EQ(predicted(line + "_pointwise"), Values{46});
}

TEST(OnednnModel, LinearOfPyTorch2ExportDividesForInt8Activations) {
  const std::string line = "linear xz=1 os=0.11121732741594315 bias=[26.747768] x=[1] w=[0] engine=onednn_pointwise";
  EXPECT_EQ(predicted(line), Values{240});
  EXPECT_EQ(predicted(line + " xtype=int8"), Values{241});
  EXPECT_EQ(predicted(line + " xtype=int8", kAvx2Cpu), Values{240});
}

TEST(OnednnModel, LinearOfPyTorch2ExportAddsPairsWithoutVnni) {
  const std::string pair = "linear in_features=2 os=512 x=[2*255] w=[48,82] engine=onednn_pointwise";
  EXPECT_EQ(predicted(pair), Values{65});
  EXPECT_EQ(predicted(pair, kAvx2Cpu), Values{64});
  // 128 is added to int8 activations, and the pair (129 * -128, 128 * -128) saturates; not so with a zero point.
  const std::string int8 = "linear in_features=2 oz=128 xtype=int8 x=[1,0] w=[2*-128] engine=onednn_pointwise";
  EXPECT_EQ(predicted(int8), Values{0});
  EXPECT_EQ(predicted(int8, kAvx2Cpu), Values{128});
  EXPECT_EQ(predicted(int8 + " xz=1", kAvx2Cpu), Values{255});
  EXPECT_EQ(predicted(int8, kAvx512Cpu), Values{0});
}

TEST(OnednnModel, LinearWithAvx512ButNoVnni) {
  const std::string pair = "linear in_features=2 os=512 x=[2*255] w=[127,127] engine=onednn";
  EXPECT_EQ(predicted(pair, kAvx512Cpu), Values{64});
  EXPECT_EQ(predicted(pair + " xz=1", kAvx512Cpu), Values{126});
  EXPECT_EQ(predicted(pair + " xz=1", kAvx2Cpu), Values{64});
  EXPECT_EQ(predicted(pair + "_pointwise xz=1", kAvx512Cpu), Values{64});
}

TEST(OnednnModel, ReluOfReferenceCodeMultipliesByZero) {
  const std::string line = "linear relu oz=7 bias=[-inf] x=[1] w=[0] engine=onednn";
  EXPECT_EQ(predicted(line), Values{7});
  EXPECT_EQ(predicted(line + " xz=1"), Values{0});
  EXPECT_EQ(predicted(line + "_pointwise xz=1"), Values{7});
  EXPECT_EQ(predicted(line + "_pointwise xz=1 xtype=int8"), Values{0});
}

TEST(OnednnModel, ASummandIsAddedInOneRounding) {
  // fma(fl(1/3), -3, 1) is -2^-25, and two roundings give 0.
  ConvProblem problem = with_contents(parse("conv2d x=[1] w=[1] engine=onednn_pointwise").value());
  Window window;
  gather(problem, 0, window);
  const Summand third{.scale = 1.0F / 3, .steps = -3};
  EXPECT_EQ(onednn_value(window, OnednnCode::reference, &third, nullptr), 0.0F);
  EXPECT_NE(onednn_value(window, OnednnCode::vnni, &third, nullptr), 0.0F);
  EXPECT_EQ(onednn_value(window, OnednnCode::vnni, nullptr, nullptr), 1.0F);
}

TEST(QnnpackModel, TheBiasIsAnInt32) {
  EXPECT_EQ(predicted("conv1d os=0.01 bias=[0.49] engine=qnnpack x=[0] w=[0]"), Values{0});
  EXPECT_EQ(predicted("conv1d bias=[1.5] engine=qnnpack x=[1] w=[1]"), Values{3});
  EXPECT_EQ(predicted("conv1d os=1e9 bias=[3e10] engine=qnnpack x=[1] w=[0]"), Values{2});           // INT32_MAX
  EXPECT_EQ(predicted("conv1d stride=2 os=1e9 bias=[3e10] engine=qnnpack x=[1] w=[0]"), Values{0});  // INT32_MIN
  // xs * ws is a denormal float: its reciprocal is infinite, and without a bias the product is 0 * inf.
  EXPECT_EQ(predicted("conv1d xs=1e-20 ws=1e-20 os=1.2e-38 engine=qnnpack x=[255] w=[127]"), Values{0});
}

// raw is -20925 and M is fl(1 / 270): the float32 product is a tie, -77.5, and rounds to -78; the float64 product is
// above it and rounds to -77.
TEST(QnnpackModel, Depthwise3x3x3RoundsInFloat64) {
  std::string w = "[";
  for (int k = 0; k < 2; ++k) {
    for (int tap = 0; tap < 27; ++tap) w += std::string(k + tap > 0 ? "," : "") + (tap == 13 ? "-93" : "0");
  }
  const std::string tail = " padding=1 os=270 oz=100 x=[2*225] engine=qnnpack w=" + w + "]";
  EXPECT_EQ(predicted("conv3d in_channels=2 out_channels=2 groups=2 kernel=3" + tail), (Values{23, 23}));
  EXPECT_EQ(predicted("conv3d os=270 oz=100 x=[225] w=[-93] engine=qnnpack"), Values{22});
}

TEST(EngineModel, X86Picks) {
  const ConvCase plain;
  EXPECT_EQ(x86_picks(plain, kVnniCpu), Engine::onednn);
  EXPECT_EQ(x86_picks(plain, {.avx512 = true}), Engine::fbgemm);
  EXPECT_EQ(x86_picks({.in_channels = 100, .out_channels = 100, .groups = 100}, kVnniCpu), Engine::onednn);
  EXPECT_EQ(x86_picks({.in_channels = 101, .out_channels = 101, .groups = 101}, kVnniCpu), Engine::fbgemm);
  EXPECT_EQ(x86_picks({.weight_zero_points = {1}}, kVnniCpu), Engine::fbgemm);
  const std::string tie = "conv1d ws=0.5 oz=1 x=[1] w=[1] engine=x86";
  EXPECT_EQ(predicted(tie), Values{2});
  EXPECT_EQ(predicted(tie, kAvx2Cpu), Values{1});
}

std::string refused(const std::string& line) { return std::string(refusal(parse(line).value(), kVnniCpu)); }

TEST(EngineModel, Refusals) {
  EXPECT_EQ(refused("conv1d wz=1"), "");
  EXPECT_EQ(refused("conv1d wz=1 engine=x86"), "");
  EXPECT_EQ(refused("conv1d engine=onednn"), "");
  EXPECT_NE(refused("conv1d wz=1 engine=onednn"), "");
  EXPECT_NE(refused("conv1d out_channels=2 ws=[1,1] wz=[0,3] engine=onednn"), "");
  EXPECT_EQ(refused("conv1d relu engine=onednn_pointwise"), "");
  EXPECT_NE(refused("conv1d wz=1 engine=onednn_pointwise"), "");
  EXPECT_NE(refused("conv3d relu engine=onednn_pointwise"), "");
  EXPECT_EQ(refused("conv1d wz=1 engine=qnnpack"), "");
  EXPECT_NE(refused("conv1d xs=1e20 ws=1e20 engine=qnnpack"), "");            // infinite
  EXPECT_NE(refused("conv1d xs=1e-20 ws=1e-20 os=0.1 engine=qnnpack"), "");   // a denormal
  EXPECT_NE(refused("conv1d xs=1e30 ws=1e-30 os=1e-10 engine=qnnpack"), "");  // xs / os is infinite
  EXPECT_EQ(refused("conv1d xs=1e20 ws=1e-20 os=1e-10 engine=qnnpack"), "");
}

// An image with its padding would take 40 GB. All windows except the middle one lie completely in padding.
TEST(EngineModel, PaddingMayBeLargerThanMemory) {
  for (const char* engine : {"fbgemm", "onednn", "qnnpack"}) {
    const std::string line = "conv2d padding=100000x100000 stride=100000x100000 os=2 x=[3] w=[2] engine=";
    const Values values = predicted(line + engine);
    ASSERT_EQ(values.size(), 9U);
    for (std::size_t i = 0; i < 9; ++i) EXPECT_EQ(values[i], i == 4 ? 3 : 0) << i;
  }
}

}  // namespace
}  // namespace tieout
