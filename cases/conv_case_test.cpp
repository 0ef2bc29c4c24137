#include "cases/conv_case.h"

#include <gtest/gtest.h>

#include <limits>

#include "cases/validate.h"

namespace tieout {
namespace {

TEST(OutputSize, FollowsStridePaddingAndDilation) {
  ConvCase c{.dims = 2,
             .input = {1, 7, 10},
             .kernel = {1, 3, 3},
             .stride = {1, 2, 3},
             .padding = {0, 1, 0},
             .dilation = {1, 1, 2}};
  EXPECT_EQ(output_size(c), (Spatial{1, 4, 2}));  // (7+2-2-1)/2+1, (10-4-1)/3+1
  EXPECT_EQ(output_shape(c), (Shape{1, 1, 4, 2}));
}

TEST(OutputSize, IsBelowOneWhereTheKernelDoesNotFit) {
  EXPECT_EQ(output_size({.input = {1, 2, 2}, .kernel = {1, 3, 3}})[2], 0);
}

// Every position that only one side has is part of the input and holds the zero point.
TEST(EvenPadding, MakesTheRestOfOneSidePartOfTheInput) {
  ConvCase c{.input = {1, 2, 2}, .kernel = {1, 2, 2}, .padding = {0, 1, 0}, .activation_zero_point = 9};
  c.extra_end_padding = {0, -1, 1};
  const ConvProblem even = with_even_padding(ConvProblem{c, {1, 2, 3, 4}, {1, 1, 1, 1}});
  EXPECT_EQ(even.spec.input, (Spatial{1, 3, 3}));
  EXPECT_EQ(even.spec.padding, (Spatial{0, 0, 0}));
  EXPECT_EQ(even.activation, (std::vector<std::uint8_t>{9, 9, 9, 1, 2, 9, 3, 4, 9}));
  EXPECT_TRUE(has_even_padding(even.spec));
  EXPECT_TRUE(validate(even.spec));
  EXPECT_EQ(output_size(even.spec), output_size(c));
}

struct Broken {
  const char* field;
  void (*change)(ConvCase&);
};

class Validate : public testing::TestWithParam<Broken> {};

TEST_P(Validate, NamesTheFieldThatIsWrong) {
  ConvCase c;
  ASSERT_TRUE(validate(c));
  GetParam().change(c);
  const auto checked = validate(c);
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().field, GetParam().field) << checked.error().text();
}

INSTANTIATE_TEST_SUITE_P(
    Fields, Validate,
    testing::Values(Broken{"conv", [](ConvCase& c) { c.dims = 4; }}, Broken{"batch", [](ConvCase& c) { c.batch = -1; }},
                    Broken{"in_channels", [](ConvCase& c) { c.in_channels = 0; }},
                    Broken{"groups", [](ConvCase& c) { c.groups = 2; }},
                    Broken{"in_channels", [](ConvCase& c) { c.in_channels = 3, c.groups = 2; }},
                    Broken{"out_channels", [](ConvCase& c) { c.in_channels = 2, c.groups = 2; }},
                    Broken{"input", [](ConvCase& c) { c.input[0] = 2; }},
                    Broken{"input", [](ConvCase& c) { c.input = {1, 1 << 20, 1 << 20}; }},
                    Broken{"kernel", [](ConvCase& c) { c.kernel[2] = 2; }},
                    Broken{"stride", [](ConvCase& c) { c.stride[1] = 0; }},
                    Broken{"padding", [](ConvCase& c) { c.padding[1] = -1; }},
                    Broken{"xs", [](ConvCase& c) { c.activation_scale = 0; }},
                    Broken{"xs", [](ConvCase& c) { c.activation_scale = 1e-50; }},  // This is 0 in float32.
                    Broken{"xz", [](ConvCase& c) { c.activation_zero_point = 256; }},
                    Broken{"ws", [](ConvCase& c) { c.weight_scales = {1, 1}; }},
                    Broken{"wz", [](ConvCase& c) { c.weight_zero_points = {-129}; }},
                    Broken{"os", [](ConvCase& c) { c.output_scale = 1e39; }},  // This is infinite in float32.
                    Broken{"oz", [](ConvCase& c) { c.output_zero_point = -1; }},
                    Broken{"bias", [](ConvCase& c) { c.bias = {1, 2}; }},
                    Broken{"bias", [](ConvCase& c) { c.bias = {std::numeric_limits<float>::quiet_NaN()}; }},
                    Broken{"x", [](ConvCase& c) { c.activation = {Fill::listed, {1, 2}}; }},
                    Broken{"w", [](ConvCase& c) { c.weight = {Fill::uniform, {1}}; }},
                    Broken{"threads", [](ConvCase& c) { c.execution.threads = 0; }}));

}  // namespace
}  // namespace tieout
