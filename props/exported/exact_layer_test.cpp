#include "props/exported/exact_layer.h"

#include <gtest/gtest.h>

namespace tieout {
namespace {

// One output element: 3 * 100 - 5 * 7 = 265 in steps of 0.5 * 0.25, less the bias.
struct Case {
  Case() {
    call.spec.in_channels = 2;
    call.spec.activation_scale = 0.5;
    call.spec.activation_zero_point = 10;
    call.spec.weight_scales = {0.25};
    call.spec.output_scale = 2;
    call.spec.output_zero_point = 20;
    call.spec.bias = {-0.125F};
    call.activation = x;
    call.weight = w;
    layer.y_quantization = ValueQuantization{2, 20, 0, 255, ElementType::uint8};
  }

  std::vector<std::uint8_t> x{110, 17};
  std::vector<std::int8_t> w{3, -5};
  ExportedCall call;
  ExportedLayer layer;
  Hardware vnni{.avx512 = true, .avx512_vnni = true};
};

TEST(ExactLayer, BoundsSumsOfFloatsMoreWidelyThanSumsOfIntegers) {
  const Case c;
  const ExactElement element = ExactLayer(c.call, c.layer, c.vnni).at(0);
  EXPECT_EQ(element.value, 265 * 0.125 - 0.125);
  EXPECT_FALSE(element.saturates());
  EXPECT_GT(element.float_bound, element.integer_bound);
  EXPECT_LT(element.float_bound, 1e-4);
}

TEST(ExactLayer, AcceptsOnlyTheBytesBesideTheTie) {
  Case c;
  const ExactLayer exact(c.call, c.layer, c.vnni);
  // 33 / 2 + 20 = 36.5 is a tie, and even one is 36.
  for (const int byte : {35, 36, 37, 38}) {
    EXPECT_EQ(exact.can_be(static_cast<std::uint8_t>(byte), 33, 1e-6, true), byte == 36 || byte == 37) << byte;
    EXPECT_EQ(exact.can_be(static_cast<std::uint8_t>(byte), 33.5, 1e-6, true), byte == 37) << byte;
  }
  EXPECT_TRUE(exact.can_be(1.0F, 1, 0));
  EXPECT_FALSE(exact.can_be(1.0F, 1.001, 1e-6));
}

TEST(ExactLayer, AppliesReluAndTheRangeThatTheProgramStates) {
  Case c;
  c.layer.relu = true;
  c.layer.y_quantization = ValueQuantization{2, 20, 0, 127, ElementType::uint8};
  const ExactLayer exact(c.call, c.layer, c.vnni);
  EXPECT_TRUE(exact.can_be(std::uint8_t{20}, -7, 1e-6, true));
  EXPECT_TRUE(exact.can_be(std::uint8_t{127}, 400, 1e-6, true));
  EXPECT_FALSE(exact.can_be(std::uint8_t{127}, 400, 1e-6, false));
  EXPECT_TRUE(exact.can_be(std::uint8_t{220}, 400, 1e-6, false));
  EXPECT_TRUE(exact.can_be(0.0F, -7, 1e-6));
}

TEST(ExactLayer, SaturatesPairsWithoutVnni) {
  Case c;
  c.x = {255, 255};
  c.w = {127, 127};
  c.call.spec.activation_zero_point = 0;
  const ExactElement exact = ExactLayer(c.call, c.layer, c.vnni).at(0);
  EXPECT_FALSE(exact.saturates());
  const ExactElement pairs = ExactLayer(c.call, c.layer, Hardware{}).at(0);
  EXPECT_EQ(pairs.value, 255 * 127 * 2 * 0.125 - 0.125);
  EXPECT_EQ(pairs.saturated, 32767 * 0.125 - 0.125);
}

TEST(ExactLayer, AddsTheSummand) {
  Case c;
  c.call.summand = {4};
  EXPECT_EQ(ExactLayer(c.call, c.layer, c.vnni).at(0).value, 37);
}

}  // namespace
}  // namespace tieout
