#include "props/generate/conform.h"

#include <gtest/gtest.h>

#include <set>

#include "cases/text/case_text.h"
#include "kernels/subject/kernel_types.h"
#include "props/generate/strategy.h"

namespace tieout {
namespace {

constexpr GeneratorOptions kOptions{.products = 2'000, .audience = Audience::subject};

Domain domain_of(const char* text) {
  const auto domain = Domain::parse(text);
  EXPECT_TRUE(domain) << domain.error();
  return *domain;
}

constexpr const char* kNarrow =
    "dims=2 groups=1 batch=1 kernel=3x3 stride=1 dilation=1 padding=1 in_channels%16=0 out_channels%16=0 "
    "granularity=per_channel wz=0";

// These domains are of the kinds that kernels have, narrow and wide. Cases are constructed in each of them.
TEST(Conform, EveryCaseLiesInTheDomain) {
  for (const char* text : {
           kNarrow,
           "groups=in_channels in_channels=out_channels groups>1",
           "kernel=1 stride=1 padding=0",
           "granularity=per_tensor",
           "out_channels%8=0 in_channels%4=0",
           "batch=1",
           "output.w>=16",
           "xz=128 wz=0",
           "xz=-128",
           "xz<0 oz=-1",
           "xtype=uint8|int8 xz<-100 or xz=255 dims=1",
           "relu=on bias=off",
           "dims=1",
           "dims=3",
           "groups=1",
           "multiplier<1 xs<=0.5",
           "padding=same kernel.h=kernel.w kernel%2=1 dims=2",
           "dims=2 input=28x28|14x14 batch<=2",
           "group_inputs%4=0 group_outputs%4=0",
           "kernel=1x3|3x1 stride=1|2",
           "products%32=0",
           "dims=2 kernel=1 padding=0 or dims=2 kernel=3 padding=1 groups=in_channels in_channels=out_channels",
       }) {
    const Domain domain = domain_of(text);
    for (std::uint64_t index = 0; index < 300; ++index) {
      const ConvCase c = case_of(3, index, kOptions, domain);
      ASSERT_TRUE(validate(c)) << print(c);
      ASSERT_TRUE(domain.contains(c)) << text << "\n" << print(c);
    }
  }
}

// Parameters that the domain leaves open are drawn as without a domain, because cases in it would find less otherwise.
TEST(Conform, CasesDifferWhereTheDomainAllowsIt) {
  const Domain domain = domain_of("dims=2 kernel=3x3 in_channels%16=0 output.w>=16 xz=128");
  std::set<std::int64_t> channels, widths, zero_points, strides;
  for (std::uint64_t index = 0; index < 400; ++index) {
    const ConvCase c = case_of(3, index, kOptions, domain);
    channels.insert(c.in_channels);
    widths.insert(output_size(c)[2]);
    zero_points.insert(c.output_zero_point);
    strides.insert(c.stride[1]);
  }
  EXPECT_GE(channels.size(), 5U);
  EXPECT_GE(widths.size(), 10U);
  EXPECT_GE(zero_points.size(), 50U);
  EXPECT_GE(strides.size(), 3U);
}

// What a kernel declares: its cases have its types, with all kinds of biases and paddings among them.
TEST(Conform, CasesHaveTheTypesOfAKernel) {
  for (const KernelTypes& types : {KernelTypes{ActivationType::int8, OutputType::int8, true, true},
                                   KernelTypes{ActivationType::int8, OutputType::int32, true, false},
                                   KernelTypes{ActivationType::uint8, OutputType::int8, false, true}}) {
    const Domain domain = domain_of(conditions_of(types).c_str());
    int biased = 0, uneven = 0, wrapping = 0;
    for (std::uint64_t index = 0; index < 400; ++index) {
      const ConvCase c = case_of(3, index, kOptions, domain);
      ASSERT_TRUE(validate(c)) << print(c) << validate(c).error().text();
      ASSERT_TRUE(domain.contains(c)) << print(c);
      ASSERT_EQ(refusal(types, c), "") << print(c);
      biased += has_bias(c) ? 1 : 0;
      uneven += has_even_padding(c) ? 0 : 1;
      for (const std::int32_t bias : c.int32_bias) wrapping += std::abs(std::int64_t{bias}) > 1 << 30 ? 1 : 0;
    }
    const bool any_bias = types.int32_bias || types.output != OutputType::int32;
    EXPECT_GE(biased, any_bias ? 100 : 0);
    EXPECT_LE(biased, 399);
    EXPECT_EQ(uneven > 20, types.end_padding) << uneven;
    EXPECT_EQ(wrapping > 10, types.int32_bias) << wrapping;
  }
}

// Kernels of both byte types are compared with each other, because the conversion is exact.
TEST(Conform, CasesOfAnInt8KernelSuitAUint8Kernel) {
  const KernelTypes ours{ActivationType::int8, OutputType::int8, true, false};
  const KernelTypes theirs{ActivationType::uint8, OutputType::uint8, true, true};
  const Domain domain = domain_of(conditions_of(ours).c_str());
  const Domain both = domain.intersected_with(domain_of(conditions_with_conversion(theirs).c_str()));
  for (std::uint64_t index = 0; index < 100; ++index) {
    const ConvCase c = case_of(3, index, kOptions, both);
    ASSERT_TRUE(both.contains(c)) << print(c);
    ASSERT_EQ(refusal(ours, c), "") << print(c);
    ASSERT_EQ(refusal(theirs, c), "") << print(c);
  }
  EXPECT_EQ(conditions_with_conversion({}), "");
  EXPECT_TRUE(conditions_with_conversion({.output = OutputType::int32}).starts_with("ytype=int32 "));
}

TEST(Conform, KeepsCasesOfTheDomain) {
  const Domain domain = domain_of("dims>=1 batch>=1");
  for (std::uint64_t index = 0; index < 100; ++index) {
    EXPECT_EQ(case_of(3, index, kOptions, domain), case_of(3, index, kOptions)) << index;
  }
}

TEST(Conform, EachAttemptIsAnotherCase) {
  std::set<std::string> lines;
  for (std::uint64_t attempt = 0; attempt < 20; ++attempt) lines.insert(print(case_of(3, 5, kOptions, {}, attempt)));
  EXPECT_EQ(lines.size(), 20U);
  EXPECT_TRUE(lines.contains(print(case_of(3, 5, kOptions))));
}

}  // namespace
}  // namespace tieout
