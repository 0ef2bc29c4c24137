#include "cases/text/case_text.h"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace tieout {
namespace {

using testing::HasSubstr;
using testing::Not;

void expect_round_trip(const ConvCase& c) {
  ASSERT_TRUE(validate(c)) << validate(c).error().text();
  const std::string line = print(c);
  const auto again = parse(line);
  ASSERT_TRUE(again) << line << ": " << again.error().text();
  EXPECT_EQ(*again, c) << line;
  EXPECT_THAT(line, Not(HasSubstr("\n")));
}

TEST(CaseText, PrintsOnlyValuesOtherThanDefaults) {
  EXPECT_EQ(print(ConvCase{}), "conv2d x=uniform w=uniform");
  expect_round_trip(ConvCase{});
}

TEST(CaseText, EveryFieldIsReadBack) {
  expect_round_trip({.dims = 3,
                     .batch = 2,
                     .in_channels = 4,
                     .out_channels = 6,
                     .groups = 2,
                     .input = {3, 4, 5},
                     .kernel = {1, 2, 3},
                     .stride = {1, 2, 1},
                     .padding = {0, 1, 2},
                     .dilation = {1, 1, 2},
                     .activation_scale = 0.1,
                     .activation_zero_point = 255,
                     .granularity = Granularity::per_channel,
                     .weight_scales = {0.1, 0.1, 0.3, 1e-6, 3, 0.1 + 0.2},
                     .weight_zero_points = {-128, 127, 0, 0, 0, 5},
                     .output_scale = 1.0 / 3,
                     .output_zero_point = 128,
                     .bias = {0, -0.0F, 1e-40F, std::numeric_limits<float>::infinity(), 3e38F, 0.1F},
                     .relu = Relu::on,
                     .seed = 18446744073709551615U,
                     .activation = {Fill::extremes, {}},
                     .weight = {Fill::sparse, {}},
                     .execution = {.engine = Engine::qnnpack,
                                   .isa = Isa::avx512_vnni_256,
                                   .memory_format = MemoryFormat::channels_last,
                                   .threads = 4}});
}

TEST(CaseText, NegativeZeroIsDistinguishedFromZero) {
  EXPECT_EQ(print({.bias = {-0.0F}}), "conv2d bias=[-0] x=uniform w=uniform");
  const auto c = parse("conv2d bias=[-0] x=uniform w=uniform");
  ASSERT_TRUE(c);
  EXPECT_TRUE(std::signbit(c->bias.front()));
}

TEST(CaseText, RepeatedValuesAreWrittenOnceWithTheirCount) {
  ConvCase c{.input = {1, 3, 3}, .kernel = {1, 2, 2}};
  c.activation = {Fill::listed, {7, 7, 7, 7, 7, 7, 7, 7, 1}};
  c.weight = {Fill::listed, {-1, 0, 0, 127}};
  EXPECT_EQ(print(c), "conv2d input=3x3 kernel=2x2 x=[8*7,1] w=[-1,2*0,127]");
  expect_round_trip(c);
}

TEST(CaseText, OneNumberStandsForEveryDimension) {
  EXPECT_EQ(parse("conv3d input=4 kernel=2"), parse("conv3d kernel=2x2x2 input=4x4x4"));
}

TEST(CaseText, AListOfScalesSelectsPerChannel) {
  const auto c = parse("conv2d out_channels=2 ws=0.5 wz=[1,2]");
  ASSERT_TRUE(c);
  EXPECT_EQ(c->granularity, Granularity::per_channel);
  EXPECT_EQ(c->weight_scales, (std::vector<double>{0.5, 0.5}));
}

struct Wrong {
  const char* line;
  const char* field;
};

class Parse : public testing::TestWithParam<Wrong> {};

TEST_P(Parse, NamesTheWordThatIsWrong) {
  const auto c = parse(GetParam().line);
  ASSERT_FALSE(c) << GetParam().line;
  EXPECT_EQ(c.error().field, GetParam().field) << c.error().text();
  EXPECT_FALSE(c.error().message.empty());
}

INSTANTIATE_TEST_SUITE_P(
    Lines, Parse,
    testing::Values(Wrong{"", "conv"}, Wrong{"conv4d", "conv"}, Wrong{"conv2d colour=3", "colour"},
                    Wrong{"conv2d batch", "batch"}, Wrong{"conv2d batch=", "batch"}, Wrong{"conv2d batch=two", "batch"},
                    Wrong{"conv2d batch=1 batch=1", "batch"}, Wrong{"conv2d batch=99999999999999999999", "batch"},
                    Wrong{"conv2d input=3x", "input"}, Wrong{"conv2d input=1x2x3", "input"},
                    Wrong{"conv2d x=[256]", "x"}, Wrong{"conv2d x=[-1]", "x"}, Wrong{"conv2d w=[128]", "w"},
                    Wrong{"conv2d x=[1", "x"}, Wrong{"conv2d x=[1,]", "x"}, Wrong{"conv2d x=[0*1]", "x"},
                    Wrong{"conv2d x=[999999999999*1]", "x"}, Wrong{"conv2d x=[1,2]", "x"}, Wrong{"conv2d x=loud", "x"},
                    Wrong{"conv2d xs=nan", "xs"}, Wrong{"conv2d ws=[3.4028235e38]", "ws"},
                    Wrong{"conv2d os=1e39", "os"}, Wrong{"conv2d xs=-1", "xs"}, Wrong{"conv2d ws=[1,2]", "ws"},
                    Wrong{"conv2d isa=sse", "isa"}, Wrong{"conv2d engine=mkl", "engine"},
                    Wrong{"conv2d bias=3", "bias"}, Wrong{"conv2d bias=[]", "bias"}, Wrong{"conv2d relu relu", "relu"},
                    Wrong{"conv2d seed=-1", "seed"}, Wrong{"conv2d out_channels=-3 ws=[1]", "out_channels"},
                    Wrong{"conv1d format=channels_last", "format"}, Wrong{"linear kernel=3", "kernel"},
                    Wrong{"linear in_channels=3", "in_channels"}, Wrong{"conv2d in_features=3", "in_features"},
                    Wrong{"linear ytype=int32", "ytype"}, Wrong{"linear int32_bias=[1]", "int32_bias"},
                    Wrong{"linear engine=fbgemm_direct", "engine"}, Wrong{"linear format=contiguous", "format"},
                    Wrong{"linear out_features=0", "out_features"}, Wrong{"linear ws=[1,2]", "ws"}));

struct Advice {
  const char* line;
  const char* words;
};

class ParseAdvice : public testing::TestWithParam<Advice> {};

TEST_P(ParseAdvice, ProposesACorrection) {
  const auto c = parse(GetParam().line);
  ASSERT_FALSE(c) << GetParam().line;
  EXPECT_THAT(c.error().text(), HasSubstr(GetParam().words));
}

INSTANTIATE_TEST_SUITE_P(
    Lines, ParseAdvice,
    testing::Values(
        Advice{"linear_relu", "; write linear ... relu"},
        Advice{"linear padding=1", "padding: is no word of linear; a linear layer has no window; for a convolution"},
        Advice{"linear in_channels=3", "in_channels: is no word of linear; write in_features"},
        Advice{"conv2d out_features=3", "out_features: is no word of a convolution; write out_channels"},
        Advice{"linear out_features=2 bias=[1]", "(out_features=2), lists 1"},
        Advice{"linear x=[1,2]", "(batch x in_features: 1x1), lists 2"},
        Advice{"linear ytype=int32", "write the same layer as conv2d"},
        Advice{"conv2d relu6", "relu6: is not a word of a case line; write relu"},
        Advice{"conv2d relu=6", "relu: takes no value: write relu"}, Advice{"conv2d relu=off", "or leave the word out"},
        Advice{"conv2d padding=SAME", "write padding=same"}, Advice{"conv2d padding=same_lower", "give both sides"},
        Advice{"conv2d padding=same padding_end=1", "is given beside padding=same"},
        Advice{"conv2d padding_end=99999999", "padding_end: must be 0..16777216"},
        Advice{"conv2d pads=1", "write padding and padding_end"},
        Advice{"conv2d xtype=int32", "must be one of uint8, int8, is 'int32'"},
        Advice{"conv2d ytype=float", "must be one of uint8, int8, int32, is 'float'"},
        Advice{"conv2d xtype=int8 x=[128]", "values must be -128..127, one is 128; for uint8 leave xtype out"},
        Advice{"conv2d xtype=int8 xz=200", "xz: must be -128..127, is 200; for uint8 leave xtype out"},
        Advice{"conv2d xtype=int8 xz=9223372036854775807", "must be -128..127"},
        Advice{"conv2d int32_bias=[1] bias=[1]", "int32_bias: is given beside bias"},
        Advice{"conv2d int32_bias=[1,2]", "must list one value for each output channel (out_channels=1), lists 2"},
        Advice{"conv2d int32_bias=[2147483648]", "must be a whole number -2147483648..2147483647"},
        Advice{"conv2d int32_bias=[1] engine=onednn", "engine: must be fbgemm_direct where int32_bias is given"},
        Advice{"conv2d ytype=int32 engine=x86", "engine: must be fbgemm_direct where ytype=int32"},
        Advice{"conv2d ytype=int32 os=2", "os: has no effect where ytype=int32"},
        Advice{"conv2d ytype=int32 oz=2", "oz: has no effect"},
        Advice{"conv2d ytype=int32 relu", "relu: has no effect"},
        Advice{"conv2d ytype=int32 bias=[1]", "or write int32_bias"}, Advice{"conv2d kernel=3,3", "write kernel=3x3"},
        Advice{"conv2d kernel=(3,3)", "write kernel=3x3"},
        Advice{"conv2d kernel=(3, 3)", "has spaces in its list; write kernel=3x3"},
        Advice{"conv2d input=[8,9]", "write input=8x9"}, Advice{"conv2d kernel=3X3", "write kernel=3x3"},
        Advice{"conv2d x=[ 1 2 3 ] relu", "write x=[1,2,3]"}, Advice{"conv2d x=[1 2, 3]", "write x=[1,2,3]"},
        Advice{"conv2d ws=0.1,0.2", "write ws=[0.1,0.2]"}, Advice{"conv2d x=5", "write x=[5]"},
        Advice{"conv2d bias=0.5", "write bias=[0.5]"}, Advice{"conv2d bias=none", "leave the word out"},
        Advice{"conv2d xs=[0.1]", "write xs=0.1"}, Advice{"conv2d xs=0,1", "write xs=0.1"},
        Advice{"conv2d xz=-1", "must be 0..255, is -1; for an int8 activation write xtype=int8"},
        Advice{"conv2d oz=-128", "for an int8 output write ytype=int8"},
        Advice{"conv2d x=[-128]", "for an int8 activation write xtype=int8"},
        Advice{"conv2d w=[200]", "subtract 128 from w"}, Advice{"conv2d wz=128", "subtract 128 from w and wz"},
        Advice{"conv2d kernel_size=3", "write kernel"}, Advice{"conv2d inchannels=3", "did you mean in_channels?"},
        Advice{"conv2d XS=3", "did you mean xs?"},
        Advice{"conv2d groups=0", "groups: must be at least 1 and divide in_channels=1 and out_channels=1, is 0"},
        Advice{"conv2d in_channels=3 groups=8", "must be at least 1 and divide in_channels=3"},
        Advice{"conv2d in_channels=3 groups=2", "in_channels: must be a multiple of groups=2, is 3"},
        Advice{"conv2d groups=two", "must be a whole number that divides in_channels and out_channels, is 'two'"},
        Advice{"conv2d threads=99999999999", "must be a whole number 1..256, is '99999999999'"},
        Advice{"conv2d batch=1e3", "must be a whole number 0..16777216, is '1e3'"},
        Advice{"conv2d x = [1] w=[1]", "x: has no value; write x=[1], without spaces"},
        Advice{"conv2d x= [1,2]", "x: has no value; write x=[1,2], without spaces"},
        Advice{"conv2d kernel =3x3", "kernel: has no value; write kernel=3x3, without spaces"},
        Advice{"conv2d kernel relu", "kernel: has no value; write kernel=3, for example"},
        Advice{"conv2d x=[2*]", "x: has no value behind 2*; write for example 2*1 for 2 times 1"},
        Advice{"conv2d xs='0.1'", "xs: must be a number, is ''0.1''; write xs=0.1"},
        Advice{"conv2d kernel=\"3\"", "; write kernel=3"},
        Advice{"conv2d kernel", "kernel: has no value; write kernel=3, for example"},
        Advice{"conv2d engine=", "engine: has no value; write engine=fbgemm, for example"},
        Advice{"conv1d kernel=3x3", "must be one number for conv1d, such as 3, is '3x3'"},
        Advice{"conv2d kernel=3x", "height x width, such as 3x3, or one number for both, ends with an x"},
        Advice{"conv2d input=(1,3,8,9)", "write batch=1 in_channels=3 input=8x9"},
        Advice{"conv2d kernel=8x3x5x7", "write out_channels=8 in_channels=3 kernel=5x7"},
        Advice{"conv2d kernel=3", "spans 3x3 with its dilation, which does not fit into the 1x1 of the padded input"},
        Advice{"conv1d input=4 kernel=2 dilation=4", "spans 5 with its dilation, which does not fit into the 4"},
        Advice{"conv2d input=3 x=[1,2]", "must list 9 values (batch x in_channels x input: 1x1x3x3), lists 2"},
        Advice{"conv2d w=[1,2]", "must list 1 value (out_channels x in_channels/groups x kernel: 1x1x1x1), lists 2"},
        Advice{"conv2d ws=[1,2]", "one number for each output channel (out_channels=1), lists 2"},
        Advice{"conv2d bias=[1,2]", "one value for each output channel (out_channels=1), lists 2"},
        Advice{"conv2d bias=True", "list its values: bias=[0.5]"}, Advice{"conv2d bias=None", "leave the word out"},
        Advice{"conv2d padding='same'", "write padding=same"}, Advice{"conv2d engine=FBGEMM", "; write engine=fbgemm"},
        Advice{"conv2d xs=(0.1,0.2)", "it is one number for the whole tensor"},
        Advice{"conv2d xs=1e999", "must be a number that float32 can hold, is '1e999'"},
        Advice{"conv2d x=[1,,2]", "has no value before one of its commas"},
        Advice{"conv2d x=[1,]", "leave the last comma out"},
        Advice{"conv2d x=[two*1]", "N*V stands for N times V and needs N in 1..2^28, is 'two'"},
        Advice{"Conv2d(3,8,3)", "write conv2d; an example: conv2d in_channels=3 out_channels=8"},
        Advice{"conv2d scale=3", "write xs and xz"}, Advice{"conv2d qqq=3", "see `tieout check --help`"}));

// A message advises no value that the parser would refuse.
TEST(ParseAdvice, ProposesOnlyReadableText) {
  for (const char* line : {"conv2d batch=[]", "conv2d batch=[-300]", "conv2d batch=[1.5]", "conv2d batch=[0*1]",
                           "conv2d engine=[1]", "conv2d w=1.5", "conv2d w=3x", "conv2d x=300", "conv2d wz=1.5",
                           "conv2d kernel=[1.5]", "conv2d kernel=(1,2,3)", "conv2d xs=[]", "conv2d bias=(a)"}) {
    const auto c = parse(line);
    ASSERT_FALSE(c) << line;
    EXPECT_THAT(c.error().text(), Not(HasSubstr("; write ")));
  }
}

TEST(CaseText, BlanksBesideCommasAndBracketsOfAListAreIgnored) {
  EXPECT_EQ(parse("conv2d input=1x3 x=[1, 2 ,\t3 ] ws=[ 0.5] relu"), parse("conv2d input=1x3 x=[1,2,3] ws=[0.5] relu"));
}

TEST(CaseText, Int8ValuesAreHeld128Higher) {
  const ConvCase c = parse("conv2d input=1x3 x=[-128,0,127] xz=-1 oz=3 xtype=int8 ytype=int8").value();
  EXPECT_EQ(c.activation.values, (std::vector<std::uint8_t>{0, 128, 255}));
  EXPECT_EQ(c.activation_zero_point, 127);
  EXPECT_EQ(c.output_zero_point, 131);
  EXPECT_EQ(print(c), "conv2d input=1x3 xtype=int8 xz=-1 ytype=int8 oz=3 x=[-128,0,127] w=uniform");
  // A zero point that is left out is 0 in its type.
  EXPECT_EQ(parse("conv2d xtype=int8")->activation_zero_point, 128);
  expect_round_trip({.activation_type = ActivationType::int8, .output_type = OutputType::int8});
}

TEST(CaseText, AnInt32BiasOrOutputStandsForItsEngine) {
  const ConvCase c = parse("conv2d int32_bias=[-2147483648]").value();
  EXPECT_EQ(c.execution.engine, Engine::fbgemm_direct);
  EXPECT_EQ(c.int32_bias, (std::vector<std::int32_t>{std::numeric_limits<std::int32_t>::min()}));
  EXPECT_EQ(print(c), "conv2d int32_bias=[-2147483648] x=uniform w=uniform");
  expect_round_trip(c);
  const ConvCase sums = parse("conv2d ytype=int32").value();
  EXPECT_EQ(sums.execution.engine, Engine::fbgemm_direct);
  expect_round_trip(sums);
  expect_round_trip(parse("conv2d engine=fbgemm_direct bias=[0.5]").value());
}

TEST(CaseText, PaddingOfTheEndIsReadBack) {
  const ConvCase c = parse("conv2d input=4x4 kernel=3x3 padding=1x0 padding_end=0x2").value();
  EXPECT_EQ(c.extra_end_padding, (Spatial{0, -1, 2}));
  EXPECT_EQ(output_size(c), (Spatial{1, 3, 4}));
  EXPECT_EQ(print(c), "conv2d input=4x4 kernel=3x3 padding=1x0 padding_end=0x2 x=uniform w=uniform");
  expect_round_trip(c);
  EXPECT_EQ(parse("conv2d padding=1 padding_end=1 input=3"), parse("conv2d padding=1 input=3"));
}

struct Same {
  const char* line;
  const char* words;
};

class SamePadding : public testing::TestWithParam<Same> {};

// TensorFlow's SAME: as many outputs as input / stride, rounded up; of an odd number of padded positions the end has
// one more.
TEST_P(SamePadding, GivesInputOverStrideOutputs) {
  const auto same = parse(GetParam().line);
  ASSERT_TRUE(same) << same.error().text();
  EXPECT_THAT(print(*same), HasSubstr(GetParam().words));
  for (std::size_t d = 0; d < 3; ++d) {
    EXPECT_EQ(output_size(*same)[d], (same->input[d] + same->stride[d] - 1) / same->stride[d]);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Lines, SamePadding,
    testing::Values(Same{"conv2d padding=same kernel=3x3 input=5x5", " padding=1x1 x="},
                    Same{"conv2d input=4x4 kernel=3x3 stride=2 padding=same", " padding_end=1x1 x="},
                    Same{"conv2d input=5x8 kernel=2x5 padding=same", " padding=0x2 padding_end=1x2 x="},
                    Same{"conv1d input=9 kernel=3 dilation=2 padding=same", " padding=2 dilation"},
                    Same{"conv2d input=7x7 kernel=1x1 stride=3 padding=same", "stride=3x3 x="}));

TEST(CaseText, PaddingValidIsNone) { EXPECT_EQ(parse("conv2d padding=valid input=3"), parse("conv2d input=3")); }

TEST(CaseText, ALinearLayerHasFeaturesAndNoWindow) {
  const ConvCase c =
      parse("linear batch=4 in_features=3 out_features=2 ws=[0.5,1] bias=[1,2] relu engine=onednn").value();
  EXPECT_EQ(c.execution.call, Call::linear);
  EXPECT_EQ(c.in_channels, 3);
  EXPECT_EQ(c.out_channels, 2);
  EXPECT_EQ(activation_shape(c), (Shape{4, 3}));
  EXPECT_EQ(weight_shape(c), (Shape{2, 3}));
  EXPECT_EQ(output_shape(c), (Shape{4, 2}));
  EXPECT_EQ(print(c),
            "linear batch=4 in_features=3 out_features=2 ws=[0.5,1] bias=[1,2] relu x=uniform w=uniform engine=onednn");
  expect_round_trip(c);
  expect_round_trip(parse("linear xtype=int8 ytype=int8 xz=-3 x=[-128] w=[127]").value());
}

TEST(CaseText, ExtraBlanksAndTabsAreIgnored) {
  EXPECT_EQ(parse("  conv2d\tinput=3  relu \r\n"), parse("conv2d input=3 relu"));
}

TEST(CaseText, MessagesAreShortAndPrintable) {
  const std::string endless(100'000, 'q');
  for (const std::string& line :
       {endless, "conv2d " + endless, "conv2d x=" + endless, "conv2d xs=" + endless, "conv2d kernel=" + endless,
        "conv2d engine=" + endless, "conv2d x=[" + endless + "]"}) {
    const auto c = parse(line);
    ASSERT_FALSE(c);
    EXPECT_LT(c.error().text().size(), 300U);
  }
  EXPECT_THAT(parse("conv2d\x1b[31m").error().text(), Not(HasSubstr("\x1b")));
}

// Without a check of its length, each of these lists would take gigabytes before it is refused.
TEST(CaseText, AListLongerThanTheChannelsIsRefused) {
  for (const char* line : {"conv1d ws=[268435456*1]", "conv1d bias=[268435456*1]",
                           "conv1d wz=[1] out_channels=268435456", "conv1d wz=[1] out_channels=9999999"}) {
    EXPECT_FALSE(parse(line)) << line;
  }
}

TEST(CaseText, AnyPartOfALineIsRefusedOrRead) {
  const std::string line =
      print({.in_channels = 2, .bias = {0.5F}, .activation = {Fill::listed, {1, 2}}, .weight = {Fill::listed, {3, 4}}});
  for (std::size_t length = 0; length <= line.size(); ++length) (void)parse(line.substr(0, length));
}

}  // namespace
}  // namespace tieout
