#include "cases/text/domain.h"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <string>

#include "cases/text/case_text.h"

namespace tieout {
namespace {

using testing::HasSubstr;

bool contains(const char* domain, const char* line) {
  const auto parsed = Domain::parse(domain);
  EXPECT_TRUE(parsed) << domain << ": " << parsed.error();
  const auto c = parse(line);
  EXPECT_TRUE(c) << line;
  return parsed && c && parsed->contains(*c);
}

TEST(Domain, AnIntersectionCombinesEachAlternativeWithEach) {
  const auto both = [](const char* a, const char* b) {
    return Domain::parse(a)->intersected_with(*Domain::parse(b)).text();
  };
  EXPECT_EQ(both("", ""), "");
  EXPECT_EQ(both("dims=2", ""), "dims=2");
  EXPECT_EQ(both("", "dims=2 or bias=off"), "dims=2 or bias=off");
  EXPECT_EQ(both("dims=2 wz=0", "wz=0 relu=on"), "dims=2 wz=0 relu=on");
  EXPECT_EQ(both("dims=2 or dims=3", "wz=0 or bias=off"),
            "dims=2 wz=0 or dims=2 bias=off or dims=3 wz=0 or dims=3 bias=off");
  EXPECT_EQ(both("dims=2 or dims=2 wz=0", "wz=0"), "dims=2 wz=0");
}

TEST(Domain, ComparesTypesAndTheirZeroPoints) {
  EXPECT_TRUE(contains("xtype=int8 ytype=int32", "conv2d xtype=int8 ytype=int32"));
  EXPECT_FALSE(contains("xtype=int8", "conv2d"));
  EXPECT_TRUE(contains("ytype=uint8|int8", "conv2d ytype=int8"));
  // As the type stores them.
  EXPECT_TRUE(contains("xz=-3 oz=0", "conv2d xtype=int8 xz=-3 ytype=int8"));
  EXPECT_FALSE(contains("xz=125", "conv2d xtype=int8 xz=-3"));
  EXPECT_TRUE(contains("int32_bias bias=off", "conv2d int32_bias=[1]"));
  EXPECT_FALSE(contains("int32_bias=off", "conv2d int32_bias=[1]"));
  EXPECT_FALSE(contains("int32_bias=on", "conv2d bias=[1]"));
}

TEST(Domain, ComparesTheOperator) {
  EXPECT_TRUE(contains("call=linear in_features=3 out_features<9", "linear in_features=3 out_features=8"));
  EXPECT_FALSE(contains("call=linear", "conv2d"));
  EXPECT_TRUE(contains("call!=linear in_channels=3", "conv2d in_channels=3"));
  // A linear layer is a 1x1 convolution in every other condition.
  EXPECT_TRUE(contains("dims=2 kernel=1 groups=1 in_channels=3", "linear in_features=3"));
  EXPECT_FALSE(Domain::parse("call=matmul"));
}

TEST(Domain, ComparesThePaddingOfTheEnd) {
  EXPECT_TRUE(contains("padding_end=padding", "conv2d input=3 padding=1"));
  EXPECT_FALSE(contains("padding_end=padding", "conv2d input=3 padding=1 padding_end=2"));
  EXPECT_TRUE(contains("padding_end.w=2 output.w=6", "conv2d input=3 padding=1 padding_end=2"));
}

TEST(Domain, ComparesIntegers) {
  EXPECT_TRUE(contains("", "conv2d"));
  EXPECT_TRUE(contains("in_channels=3", "conv2d in_channels=3"));
  EXPECT_FALSE(contains("in_channels!=3", "conv2d in_channels=3"));
  EXPECT_TRUE(contains("in_channels=1|3|5", "conv2d in_channels=5"));
  EXPECT_FALSE(contains("in_channels=1|3|5", "conv2d in_channels=4"));
  EXPECT_TRUE(contains("in_channels>3", "conv2d in_channels=4"));
  EXPECT_FALSE(contains("in_channels>3", "conv2d in_channels=3"));
  EXPECT_TRUE(contains("in_channels>=3", "conv2d in_channels=3"));
  EXPECT_TRUE(contains("in_channels<=3", "conv2d in_channels=3"));
  EXPECT_FALSE(contains("in_channels<3", "conv2d in_channels=3"));
  EXPECT_TRUE(contains("in_channels%16=0", "conv2d in_channels=32"));
  EXPECT_FALSE(contains("in_channels%16=0", "conv2d in_channels=33"));
  EXPECT_TRUE(contains("in_channels%4=1|2", "conv2d in_channels=6"));
  EXPECT_FALSE(contains("in_channels%4!=1|2", "conv2d in_channels=6"));
}

TEST(Domain, ComparesEveryAxisThatTheCaseHas) {
  EXPECT_TRUE(contains("kernel=3", "conv1d input=9 kernel=3"));
  EXPECT_TRUE(contains("kernel=3x3", "conv2d input=9 kernel=3x3"));
  EXPECT_FALSE(contains("kernel=3x3", "conv2d input=9 kernel=3x1"));
  EXPECT_FALSE(contains("kernel=3x3", "conv3d input=9 kernel=3x3x3"));
  EXPECT_TRUE(contains("kernel=1x3|3x1", "conv2d input=9 kernel=3x1"));
  EXPECT_FALSE(contains("kernel=1x3|3x1", "conv2d input=9 kernel=3x3"));  // Each axis alone would be allowed.
  EXPECT_TRUE(contains("kernel!=1", "conv2d input=9 kernel=1x3"));
  EXPECT_FALSE(contains("kernel!=1", "conv2d input=9"));
  EXPECT_FALSE(contains("input>=8", "conv2d input=7x9"));
  EXPECT_TRUE(contains("input>=7x8", "conv2d input=7x9"));
  EXPECT_TRUE(contains("input.w>=8", "conv2d input=7x9"));
  EXPECT_FALSE(contains("input.h>=8", "conv2d input=7x9"));
  EXPECT_TRUE(contains("input.h>=8", "conv1d input=9"));  // A 1-d case has no height.
  EXPECT_TRUE(contains("output.w>=16", "conv2d input=1x33 stride=2 kernel=1x3"));
  EXPECT_FALSE(contains("output.w>=16", "conv2d input=1x32 stride=2 kernel=1x3"));
}

TEST(Domain, ComparesParametersWithEachOther) {
  EXPECT_TRUE(contains("groups=in_channels", "conv2d in_channels=4 out_channels=4 groups=4"));
  EXPECT_FALSE(contains("groups=in_channels", "conv2d in_channels=8 out_channels=4 groups=4"));
  EXPECT_TRUE(contains("padding<kernel", "conv2d input=9 kernel=3x5 padding=2x4"));
  EXPECT_FALSE(contains("padding<kernel", "conv2d input=9 kernel=3x5 padding=3x4"));
  EXPECT_TRUE(contains("input.h=input.w", "conv2d input=9x9"));
  EXPECT_FALSE(contains("input.h=input.w", "conv2d input=9x8"));
  EXPECT_TRUE(contains("padding=same", "conv2d input=9 kernel=3x5 padding=2x2 dilation=2x1"));
  EXPECT_FALSE(contains("padding=same", "conv2d input=9 kernel=3x5 padding=1x2 dilation=2x1"));
  EXPECT_TRUE(contains("group_inputs=2 group_outputs=3 products=6 taps=3 positions=7",
                       "conv1d in_channels=4 out_channels=6 groups=2 input=9 kernel=3"));
}

TEST(Domain, ComparesQuantizationAndExecution) {
  EXPECT_FALSE(contains("wz=0", "conv2d out_channels=2 ws=[1,1] wz=[0,5]"));
  EXPECT_TRUE(contains("wz>=0 xz=128 oz!=0", "conv2d out_channels=2 ws=[1,1] wz=[0,5] xz=128 oz=3"));
  EXPECT_TRUE(contains("granularity=per_channel relu=on bias=off", "conv2d ws=[1] relu"));
  EXPECT_FALSE(contains("granularity=per_tensor", "conv2d ws=[1]"));
  EXPECT_TRUE(contains("relu", "conv2d relu"));
  EXPECT_FALSE(contains("bias", "conv2d relu"));
  EXPECT_TRUE(contains("multiplier<1 xs=0.5 ws<=2", "conv2d out_channels=2 xs=0.5 ws=[1,2] os=2"));
  EXPECT_FALSE(contains("multiplier<1", "conv2d out_channels=2 xs=0.5 ws=[1,2] os=1"));
  EXPECT_TRUE(contains("engine=onednn|qnnpack format=channels_last", "conv2d engine=qnnpack format=channels_last"));
}

TEST(Domain, HasAlternatives) {
  EXPECT_TRUE(contains("kernel=1 padding=0 or kernel=3 padding=1", "conv2d input=9 kernel=3 padding=1"));
  EXPECT_FALSE(contains("kernel=1 padding=0 or kernel=3 padding=1", "conv2d input=9 kernel=3"));
}

TEST(Domain, ReadsWhatItPrints) {
  for (const char* text :
       {"", "dims=2 kernel=3x3|5x5 in_channels%16=0", "relu=on or padding=same groups=in_channels"}) {
    const auto domain = Domain::parse(text);
    ASSERT_TRUE(domain) << text;
    EXPECT_EQ(domain->text(), text);
  }
}

// Error messages name what is wrong and state what is allowed instead.
TEST(Domain, RefusalsNameTheCause) {
  const auto error = [](const char* text) {
    const auto domain = Domain::parse(text);
    return domain ? std::string("accepted") : domain.error();
  };
  EXPECT_THAT(error("channels=3"), HasSubstr("there is no parameter 'channels'; there are dims, batch, in_channels"));
  EXPECT_THAT(error("in_channels"), HasSubstr("a condition needs one of"));
  EXPECT_THAT(error("in_channels=x"), HasSubstr("must be a whole number, is 'x'"));
  EXPECT_THAT(error("kernel=3*3"), HasSubstr("joined by x such as 3x3, is '3*3'"));
  EXPECT_THAT(error("kernel=1x2x3x4"), HasSubstr("joined by x"));
  EXPECT_THAT(error("in_channels%0=0"), HasSubstr("positive whole number"));
  EXPECT_THAT(error("xs%2=0"), HasSubstr("needs a parameter that is a whole number"));
  EXPECT_THAT(error("relu=maybe"), HasSubstr("must be off or on, is 'maybe'"));
  EXPECT_THAT(error("engine=fbgem"), HasSubstr("must be one of fbgemm, onednn"));
  EXPECT_THAT(error("relu<on"), HasSubstr("only = and != are possible"));
  EXPECT_THAT(error("batch<1|2"), HasSubstr("several values need = or !="));
  EXPECT_THAT(error("in_channels=kernel"), HasSubstr("'kernel' has several axes: name one"));
  EXPECT_THAT(error("dims=2 or"), HasSubstr("'or' stands between"));
  EXPECT_THAT(error("or dims=2"), HasSubstr("'or' stands between"));
}

}  // namespace
}  // namespace tieout
