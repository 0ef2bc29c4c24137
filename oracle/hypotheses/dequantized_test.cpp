#include "oracle/hypotheses/dequantized.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "cases/contents.h"
#include "cases/testing/parsed.h"
#include "cases/text/case_text.h"
#include "oracle/element/ties_to_even.h"

namespace tieout {
namespace {

using nlohmann::json;

// One product with zero points 0: x * w with the scales xs, ws and os.
struct DecidingProduct {
  const char* line;
  int output_1, output_2;
};

// Values on which the hypotheses differ, with the results of the script's own expressions in python. With the
// activation in float64 as well, the first would be 0 and the third 6: the cases test that manual_output_1 uses a
// float32 activation.
TEST(Dequantized, DecidingInputs) {
  for (const auto& [line, output_1, output_2] :
       {DecidingProduct{"conv2d xs=0.1 ws=[0.01] wz=[0] os=0.1 x=[1] w=[50]", 1, 0},    // exact 0.5
        DecidingProduct{"conv2d xs=0.1 ws=[0.01] wz=[0] os=0.03 x=[3] w=[45]", 5, 5},   // exact 4.5
        DecidingProduct{"conv2d xs=0.1 ws=[0.1] wz=[0] os=0.1 x=[1] w=[65]", 7, 7},     // exact 6.5
        DecidingProduct{"conv2d xs=0.1 ws=[0.1] wz=[0] os=0.7 x=[1] w=[35]", 1, 0}}) {  // exact 0.5
    EXPECT_EQ(manual_output_1(parse_problem(line)).values.front(), output_1) << line;
    EXPECT_EQ(manual_output_2(parse_problem(line)).values.front(), output_2) << line;
  }
}

// oracle/testdata/make_dequantized.py wrote the expected values with numpy's own roundings, for every number of
// dimensions, groups, padding, dilation and zero points.
TEST(Dequantized, EqualsTheRecordedValues) {
  const json entries = json::parse(std::ifstream(TIEOUT_SOURCE_DIR "/oracle/testdata/dequantized.json"));
  ASSERT_EQ(entries.size(), 120U);
  for (const json& entry : entries) {
    const ConvProblem p = parse_problem(entry["case"].get<std::string>());
    EXPECT_EQ(manual_output_1(p).values, entry["y1"].get<std::vector<std::int32_t>>()) << entry;
    EXPECT_EQ(manual_output_2(p).values, entry.value("y2", entry["y1"]).get<std::vector<std::int32_t>>()) << entry;
    EXPECT_EQ(manual_output_1(p).shape, output_shape(p.spec));
  }
}

TEST(Dequantized, ClampsAtEitherEndAndAddsTheZeroPointAfterRounding) {
  EXPECT_EQ(manual_output_1(parse_problem("conv1d x=[255] w=[127]")).values.front(), 255);
  EXPECT_EQ(manual_output_2(parse_problem("conv1d x=[255] w=[-128]")).values.front(), 0);
  // 0.5 becomes 0 before 1 is added; 1.5 would become 2.
  EXPECT_EQ(manual_output_1(parse_problem("conv1d ws=0.5 oz=1 x=[1] w=[1]")).values.front(), 1);
  EXPECT_EQ(manual_output_2(parse_problem("conv1d ws=0.5 oz=1 x=[1] w=[1]")).values.front(), 1);
  EXPECT_EQ(manual_output_2(parse_problem("conv1d xs=3e38 ws=3e38 in_channels=2 x=[2*1] w=[1,-1]")).values.front(), 0);
}

const char* const kDocumentCase =
    "conv2d input=1x4 xs=0.05 xz=60 ws=[0.01] wz=[0] os=0.02 bias=[0.125] relu x=[0,59,60,127] w=[-101]";

TEST(Dequantized, TheScriptsExpressionsEqualTheGeneralFormBeforeClamping) {
  ConvProblem p = parse_problem(kDocumentCase);
  EXPECT_EQ(document_output_1(p).values, (std::vector<double>{158, 9, 6, 0}));
  EXPECT_EQ(document_output_2(p).values, (std::vector<float>{158, 9, 6, 0}));
  EXPECT_EQ(manual_output_1(p).values, (std::vector<std::int32_t>{158, 9, 6, 0}));
  p.spec.output_scale = 0.01;
  EXPECT_EQ(document_output_1(p).values.front(), 316);
  EXPECT_EQ(manual_output_1(p).values.front(), 255);
}

TEST(Dequantized, Output2KeepsTheSignOfAZeroAsPythonPrintsIt) {
  ConvProblem p = parse_problem(kDocumentCase);
  p.spec.bias = {-0.001F};
  EXPECT_TRUE(std::signbit(document_output_2(p).values[2]));   // rounds to -0, which relu keeps: "-0."
  EXPECT_FALSE(std::signbit(document_output_1(p).values[2]));  // relu comes first
}

TEST(DequantizedDeathTest, TheScriptsExpressionsRequireItsOwnCase) {
  const ConvProblem p = parse_problem("conv1d kernel=2 input=2 bias=[1] relu");
  EXPECT_DEATH((void)document_output_1(p), "one-channel 1x1");
}

TEST(TiesToEven, RoundsAsIeeeDoes) {
  EXPECT_EQ(ties_to_even(0.5), 0);
  EXPECT_EQ(ties_to_even(1.5F), 2);
  EXPECT_EQ(ties_to_even(2.5), 2);
  EXPECT_EQ(ties_to_even(-3.5), -4);
  EXPECT_EQ(ties_to_even(0.49999997F), 0);
  EXPECT_EQ(ties_to_even(8388607.5F), 8388608);  // the largest tie that float32 has
  EXPECT_TRUE(std::signbit(ties_to_even(-0.5)));
  EXPECT_TRUE(std::isnan(ties_to_even(std::numeric_limits<float>::quiet_NaN())));
  EXPECT_TRUE(std::isinf(ties_to_even(std::numeric_limits<float>::infinity())));
  // nearbyintf rounds ties to even in the default mode. Every 99991st float is tested.
  for (std::uint64_t bits = 0; bits < (std::uint64_t{1} << 32U); bits += 99991) {
    const auto v = std::bit_cast<float>(static_cast<std::uint32_t>(bits));
    if (!std::isnan(v)) {
      ASSERT_EQ(ties_to_even(v), std::nearbyint(v)) << v;
    }
  }
}

}  // namespace
}  // namespace tieout
