#include "cases/case_text.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace tieout {
namespace {

void expect_round_trip(const ConvCase& c) {
  ASSERT_TRUE(validate(c)) << validate(c).error().text();
  const std::string line = print(c);
  const auto again = parse(line);
  ASSERT_TRUE(again) << line << ": " << again.error().text();
  EXPECT_EQ(*again, c) << line;
  EXPECT_EQ(line.find('\n'), std::string::npos);
}

TEST(CaseText, PrintsOnlyWhatIsNotTheDefault) {
  EXPECT_EQ(print(ConvCase{}), "conv2d x=uniform w=uniform");
  expect_round_trip(ConvCase{});
}

TEST(CaseText, EveryFieldComesBack) {
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

TEST(CaseText, NegativeZeroIsNotZero) {
  EXPECT_EQ(print({.bias = {-0.0F}}), "conv2d bias=[-0] x=uniform w=uniform");
  const auto c = parse("conv2d bias=[-0] x=uniform w=uniform");
  ASSERT_TRUE(c);
  EXPECT_TRUE(std::signbit(c->bias.front()));
}

TEST(CaseText, RunsAreWrittenOnce) {
  ConvCase c{.input = {1, 3, 3}, .kernel = {1, 2, 2}};
  c.activation = {Fill::listed, {7, 7, 7, 7, 7, 7, 7, 7, 1}};
  c.weight = {Fill::listed, {-1, 0, 0, 127}};
  EXPECT_EQ(print(c), "conv2d input=3x3 kernel=2x2 x=[8*7,1] w=[-1,2*0,127]");
  expect_round_trip(c);
}

TEST(CaseText, OneNumberStandsForEveryDimension) {
  EXPECT_EQ(parse("conv3d input=4 kernel=2"), parse("conv3d kernel=2x2x2 input=4x4x4"));
}

TEST(CaseText, AListMakesItPerChannel) {
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
                    Wrong{"conv1d format=channels_last", "format"}));

struct Advice {
  const char* line;
  const char* words;
};

class ParseAdvice : public testing::TestWithParam<Advice> {};

TEST_P(ParseAdvice, SaysWhatToWrite) {
  const auto c = parse(GetParam().line);
  ASSERT_FALSE(c) << GetParam().line;
  EXPECT_NE(c.error().text().find(GetParam().words), std::string::npos) << c.error().text();
}

INSTANTIATE_TEST_SUITE_P(
    Lines, ParseAdvice,
    testing::Values(
        Advice{"conv2d relu6", "relu6: is not a word of a case line; write relu"},
        Advice{"conv2d relu=6", "relu: takes no value: write relu"}, Advice{"conv2d relu=off", "or leave the word out"},
        Advice{"conv2d padding=same", "write padding=1 for kernel=3"},
        Advice{"conv2d padding=valid", "write padding=0"}, Advice{"conv2d kernel=3,3", "write kernel=3x3"},
        Advice{"conv2d kernel=(3,3)", "write kernel=3x3"},
        Advice{"conv2d kernel=(3, 3)", "has spaces in its list; write kernel=3x3"},
        Advice{"conv2d input=[8,9]", "write input=8x9"}, Advice{"conv2d kernel=3X3", "write kernel=3x3"},
        Advice{"conv2d input=1x3 x=[1, 2, 3]", "x: has spaces in its list; write x=[1,2,3]"},
        Advice{"conv2d x=[ 1 2 3 ] relu", "write x=[1,2,3]"}, Advice{"conv2d ws=[0.1, 0.2]", "write ws=[0.1,0.2]"},
        Advice{"conv2d ws=0.1,0.2", "write ws=[0.1,0.2]"}, Advice{"conv2d x=5", "write x=[5]"},
        Advice{"conv2d bias=0.5", "write bias=[0.5]"}, Advice{"conv2d bias=none", "leave the word out"},
        Advice{"conv2d xs=[0.1]", "write xs=0.1"}, Advice{"conv2d xs=0,1", "write xs=0.1"},
        Advice{"conv2d xz=-1", "write xz=127"}, Advice{"conv2d oz=-128", "write oz=0"},
        Advice{"conv2d x=[-128]", "add 128 to x and xz"}, Advice{"conv2d w=[200]", "subtract 128 from w"},
        Advice{"conv2d wz=128", "subtract 128 from w and wz"}, Advice{"conv2d kernel_size=3", "write kernel"},
        Advice{"conv2d inchannels=3", "did you mean in_channels?"}, Advice{"conv2d XS=3", "did you mean xs?"},
        Advice{"conv2d scale=3", "write xs and xz"}, Advice{"conv2d qqq=3", "see `tieout check --help`"}));

TEST(CaseText, BlanksAroundAndTabsBetweenTheWordsDoNotMatter) {
  EXPECT_EQ(parse("  conv2d\tinput=3  relu \r\n"), parse("conv2d input=3 relu"));
}

TEST(CaseText, AMessageIsShortAndCanBePrinted) {
  const std::string endless(100'000, 'q');
  for (const std::string& line :
       {endless, "conv2d " + endless, "conv2d x=" + endless, "conv2d xs=" + endless, "conv2d kernel=" + endless,
        "conv2d engine=" + endless, "conv2d x=[" + endless + "]"}) {
    const auto c = parse(line);
    ASSERT_FALSE(c);
    EXPECT_LT(c.error().text().size(), 300U);
  }
  EXPECT_EQ(parse("conv2d\x1b[31m").error().text().find('\x1b'), std::string::npos);
}

// Without a check of its length, each of these lists would take gigabytes before it is refused.
TEST(CaseText, AListIsNotLongerThanThereAreChannels) {
  for (const char* line : {"conv1d ws=[268435456*1]", "conv1d bias=[268435456*1]",
                           "conv1d wz=[1] out_channels=268435456", "conv1d wz=[1] out_channels=9999999"}) {
    EXPECT_FALSE(parse(line)) << line;
  }
}

TEST(CaseText, AnyCutOfALineIsRefusedOrRead) {
  const std::string line =
      print({.in_channels = 2, .bias = {0.5F}, .activation = {Fill::listed, {1, 2}}, .weight = {Fill::listed, {3, 4}}});
  for (std::size_t length = 0; length <= line.size(); ++length) (void)parse(line.substr(0, length));
}

}  // namespace
}  // namespace tieout
