#include "oracle/engines/version_changes.h"

#include <gtest/gtest.h>

#include "cases/testing/parsed.h"

namespace tieout {
namespace {

constexpr LibTorchVersion k29{2, 9, 1}, k212{2, 12, 0}, k215{2, 15, 0};

// The cases are those of props/properties/corpus/versions.txt, where LibTorch itself confirms them.
const ConvProblem kDepthwise = parse_problem(
    "conv2d in_channels=8 out_channels=8 groups=8 kernel=3x3 padding=1x1 xs=0.01 ws=0.02 os=0.00039999998211860677 "
    "oz=20 "
    "bias=[8*-0.0137999998] x=[8*11] w=[72*6]");
const ConvProblem kScales = parse_problem("conv2d xs=0.1 ws=0.2 x=[5] w=[5] engine=onednn");

TEST(VersionChanges, TheChangeBetweenTheVersionsIsFound) {
  const VersionChange* const bias = deciding_change(kDepthwise, k215, k29, kVnniCpu);
  ASSERT_NE(bias, nullptr);
  EXPECT_EQ(bias->from, (LibTorchVersion{2, 14, 0}));
  EXPECT_EQ(deciding_change(kDepthwise, k212, k215, kVnniCpu), bias);
  const VersionChange* const scales = deciding_change(kScales, k29, k215, kVnniCpu);
  ASSERT_NE(scales, nullptr);
  EXPECT_EQ(scales->from, (LibTorchVersion{2, 11, 0}));
}

TEST(VersionChanges, BetweenVersionsWithoutTheChangeThereIsNone) {
  EXPECT_EQ(deciding_change(kDepthwise, k29, k212, kVnniCpu), nullptr);
  EXPECT_EQ(deciding_change(kScales, k212, k215, kVnniCpu), nullptr);
  EXPECT_EQ(deciding_change(kScales, k29, k29, kVnniCpu), nullptr);
  EXPECT_EQ(deciding_change(kScales, k29, k215, {}), nullptr) << "AVX2 has other code";
}

// Commands that evaluate a hypothesis in place of a prediction must not do so where they differ.
TEST(VersionChanges, OldScalesHaveNoHypothesis) {
  Hardware hardware = kVnniCpu;
  EXPECT_EQ(hypothesis_of(Engine::onednn, Call::conv, hardware), "onednn");
  EXPECT_EQ(hypothesis_of(Engine::onednn, Call::linear, hardware), "");
  hardware.libtorch = k29;
  EXPECT_EQ(hypothesis_of(Engine::onednn, Call::conv, hardware), "");
  EXPECT_EQ(hypothesis_of(Engine::onednn, Call::conv, {.libtorch = k29}), "onednn_int16_pairs");
}

// Each change must be visible at its version, so that the list and the predictions cannot contradict each other.
TEST(VersionChanges, EveryChangeHasItsVersion) {
  for (const VersionChange& change : version_changes()) {
    const LibTorchVersion before{change.from.major, change.from.minor - 1, 9};
    const bool decides = deciding_change(kDepthwise, before, change.from, kVnniCpu) == &change ||
                         deciding_change(kScales, before, change.from, kVnniCpu) == &change;
    EXPECT_TRUE(decides) << change.text;
  }
}

}  // namespace
}  // namespace tieout
