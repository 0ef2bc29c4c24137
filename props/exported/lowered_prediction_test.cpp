#include "props/exported/lowered_prediction.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace tieout {
namespace {

constexpr Hardware kWithVnni{.avx512 = true, .avx512_vnni = true};

// Two positions of two channels in, three out.
struct SmallLayer {
  SmallLayer() {
    ConvCase& c = call.spec;
    c.in_channels = 2;
    c.out_channels = 3;
    c.input = {1, 1, 2};
    c.granularity = Granularity::per_channel;
    c.weight_scales = {1, 2, 3};
    c.weight_zero_points = {0, 0, 0};
    call.activation = x;
    call.weight = w;
  }

  LayerValues predicted(const Hardware& hardware = kWithVnni) const {
    return predict_lowered(call, layer, hardware).values;
  }

  std::vector<std::uint8_t> x{1, 2, 3, 4};
  std::vector<std::int8_t> w{1, 1, 1, -1, 0, 1};
  ExportedCall call;
  ExportedLayer layer;
};

TEST(LoweredPrediction, HasChannelsLast) {
  SmallLayer small;
  EXPECT_EQ(small.predicted().floats, (std::vector<float>{3, -2, 6, 7, -2, 12}));
  EXPECT_TRUE(small.predicted().bytes.empty());
  small.layer.y_quantization = ValueQuantization{};
  EXPECT_EQ(small.predicted().bytes, (std::vector<std::uint8_t>{3, 0, 6, 7, 0, 12}));
}

TEST(LoweredPrediction, StoresInt8AsACaseHoldsIt) {
  SmallLayer small;
  small.call.spec.output_type = OutputType::int8;
  small.call.spec.output_zero_point = 128;
  small.layer.y_quantization = ValueQuantization{1, 0, -128, 127, ElementType::int8};
  EXPECT_EQ(small.predicted().bytes, (std::vector<std::uint8_t>{131, 126, 134, 135, 126, 140}));
}

TEST(LoweredPrediction, AddsFloatsBehindTheBiasAndBeforeRelu) {
  SmallLayer small;
  small.call.spec.bias = {0x1p24F, 0, 0};
  small.call.spec.relu = Relu::on;
  small.call.summand = {-0x1p24F, 1, 0.5F, 0, 3, -99};
  // fl(3 + 2^24) - 2^24 is 4, and fl(7 + 2^24) is 2^24 + 8.
  EXPECT_EQ(small.predicted().floats, (std::vector<float>{4, 0, 6.5F, 0x1p24F + 8, 1, 0}));
}

TEST(LoweredPrediction, AddsBytesInOneRounding) {
  SmallLayer small;
  const auto scale = static_cast<double>(1.0F / 3);
  small.layer.y_quantization = ValueQuantization{};
  small.layer.summand_quantization = ValueQuantization{scale, 0, 0, 255, ElementType::uint8};
  // fma(fl(1/3), 3, -1) is 2^-25, and two roundings give 0.
  small.call.spec.output_scale = 0x1p-26;
  small.call.spec.bias = {-4, 0, 0};
  small.call.summand = {1, 0, 0, 0, 0, 0};
  EXPECT_EQ(small.predicted().bytes.front(), 2);
  EXPECT_EQ(small.predicted(Hardware{}).bytes.front(), 2);
  // A linear layer adds floats.
  small.layer.dims = 0;
  EXPECT_EQ(small.predicted().bytes.front(), 0);
}

TEST(LoweredPrediction, SaturatesPairsWithoutVnni) {
  SmallLayer small;
  small.x = {255, 255, 1, 1};
  small.w = {127, 127, 1, 1, 1, 1};
  EXPECT_EQ(small.predicted().floats.front(), 64770);
  EXPECT_EQ(small.predicted(Hardware{}).floats.front(), 32767);
}

TEST(LoweredPrediction, NamesWhatIsNotKnown) {
  SmallLayer small;
  EXPECT_EQ(predict_lowered(small.call, small.layer, kWithVnni).unknown, "");
  const LoweredPrediction amx =
      predict_lowered(small.call, small.layer, {.avx512 = true, .avx512_vnni = true, .amx_int8 = true});
  EXPECT_NE(amx.unknown.find("chooses between two codes"), std::string::npos) << amx.unknown;
  EXPECT_EQ(amx.values.size(), 0U);
  SmallLayer one;
  one.x = {1, 2};
  one.w = {1, 1, 1, 1, 1, 1};
  one.call.spec.in_channels = 1;
  one.call.spec.kernel = {1, 1, 2};
  one.call.activation = one.x;
  EXPECT_NE(predict_lowered(one.call, one.layer, {.avx512 = true}).unknown.find("which pairs"), std::string::npos);
  EXPECT_EQ(predict_lowered(one.call, one.layer, Hardware{}).unknown, "");
}

TEST(LoweredPrediction, ComparesBits) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(is_predicted(nan, -nan));
  EXPECT_FALSE(is_predicted(nan, 1));
  EXPECT_FALSE(is_predicted(1, nan));
  EXPECT_FALSE(is_predicted(0.0F, -0.0F));
  EXPECT_FALSE(is_predicted(1, std::nextafter(1.0F, 2.0F)));
  EXPECT_TRUE(is_predicted(1, 1));
}

}  // namespace
}  // namespace tieout
