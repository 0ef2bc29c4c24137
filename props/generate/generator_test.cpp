#include "props/generate/generator.h"

#include <gtest/gtest.h>

#include "cases/contents.h"
#include "cases/strings/digest.h"
#include "cases/text/case_cost.h"
#include "cases/text/case_text.h"
#include "cases/validate.h"
#include "oracle/engines/fbgemm_path.h"
#include "props/generate/boundary_targeting.h"
#include "props/generate/case_class.h"
#include "props/generate/discriminating_case.h"
#include "props/generate/strategy.h"

namespace tieout {
namespace {

constexpr Hardware kVnni{.avx512 = true, .avx512_vnni = true};

TEST(Generator, DrawsValidCasesWhoseTextReadsBack) {
  for (std::uint64_t index = 0; index < 3'000; ++index) {
    const ConvCase c = case_of(11, index);
    const auto again = parse(print(c));
    ASSERT_TRUE(again) << print(c) << ": " << again.error().text();
    ASSERT_EQ(*again, c);
  }
}

// Every line that was ever reported depends on this sequence, so that a change must not go unnoticed.
TEST(Generator, TheSequenceOfASeedIsFixed) {
  std::string lines;
  for (std::uint64_t index = 0; index < 200; ++index) lines += print(case_of(1, index)) + '\n';
  Digest digest;
  digest.add_bytes(lines);
  EXPECT_EQ(digest.value(), 5128713794420087867U) << print(case_of(1, 0));
}

// A class that no case reaches verifies nothing, but would look like a pass.
TEST(Generator, ReachesEveryClassAndEveryPath) {
  std::array<int, kCaseClasses> reached{};
  std::array<int, 5> paths{};
  for (std::uint64_t index = 0; index < 3'000; ++index) {
    const ConvCase c = case_of(5, index);
    const FbgemmPath path = fbgemm_path(c, kVnni);
    ++paths[static_cast<std::size_t>(path)];
    const ConvProblem problem = with_contents(c);
    const ClassSet classes = classify(c, path, conv_relu_traces(problem, fbgemm_arithmetic(path, Isa::native, kVnni)));
    for (std::size_t i = 0; i < kCaseClasses; ++i) reached[i] += classes.test(i) ? 1 : 0;
  }
  for (std::size_t i = 0; i < kCaseClasses; ++i) EXPECT_GE(reached[i], 5) << name(static_cast<CaseClass>(i));
  for (std::size_t i = 0; i < paths.size(); ++i) EXPECT_GE(paths[i], 100) << name(static_cast<FbgemmPath>(i));
}

// Every strategy draws linear layers, and where a condition excludes one of the operators, only the other is drawn.
TEST(Generator, LinearLayersAreAShareOfTheCases) {
  const auto linear = [](const char* domain, Audience audience = Audience::engines) {
    std::int64_t count = 0;
    for (std::uint64_t index = 0; index < 520; ++index) {
      const ConvCase c = case_of(3, index, {.products = 2'000, .audience = audience}, *Domain::parse(domain));
      EXPECT_TRUE(validate(c)) << print(c);
      EXPECT_TRUE(Domain::parse(domain)->contains(c)) << domain << '\n' << print(c);
      count += c.execution.call == Call::linear ? 1 : 0;
    }
    return count;
  };
  EXPECT_EQ(linear(""), 520 / 13);
  EXPECT_EQ(linear("call=conv"), 0);
  EXPECT_EQ(linear("call=linear"), 520);
  EXPECT_EQ(linear("call=linear in_features%16=0 out_features>8 batch=1 wz=0"), 520);
  EXPECT_EQ(linear("kernel=1 padding=0 stride=1 batch>=2"), 520 / 13);
  EXPECT_EQ(linear("kernel=3"), 0);
  EXPECT_EQ(linear("engine=fbgemm_direct"), 0);
  EXPECT_EQ(linear("ytype=int32"), 0);
  // A kernel of the convolution's interface gets them only if it is asked to.
  EXPECT_EQ(linear("", Audience::subject), 0);
  EXPECT_EQ(linear("call=linear", Audience::subject), 520);
  std::array<int, kStrategies> strategies{};
  for (std::uint64_t index = 0; index < 520; ++index) {
    const bool is_linear = case_of(3, index).execution.call == Call::linear;
    strategies[static_cast<std::size_t>(strategy_of(index))] += is_linear ? 1 : 0;
  }
  for (const int count : strategies) EXPECT_GE(count, 4);
}

TEST(Generator, ProbesOfADomainOfLinearLayersAreLinear) {
  const Domain domain = *Domain::parse("call=linear in_features<20");
  for (std::uint64_t index = 0; index < 40; ++index) {
    const ConvCase c = draw_discriminating_case(kFbgemmPaths[index % kFbgemmPaths.size()], index, domain).c;
    ASSERT_TRUE(validate(c)) << print(c);
    ASSERT_TRUE(domain.contains(c)) << print(c);
  }
}

// No combination of extents, channels and parameters exceeds the promised cost, because one case must not stall a run.
TEST(Generator, CasesAreCheap) {
  for (std::uint64_t index = 0; index < 3'000; ++index) {
    const ConvCase c = case_of(2, index);
    EXPECT_LE(product_count(c), 2'000'000) << print(c);
  }
}

TEST(Generator, TargetedElementsLieOnOrBesideATie) {
  int hit = 0;
  for (std::uint64_t index = 0; index < 200; ++index) {
    Random random(3, index);
    ConvCase c{.in_channels = 9,
               .activation_scale = 0.03,
               .weight_scales = {0.007},
               .output_scale = 0.05,
               .output_zero_point = 20,
               .seed = index};
    if (index % 2 == 0) c.bias = {0.1F};
    move_to_boundary(Boundary::tie, c, random);
    const ClassSet classes = classify(c, FbgemmPath::im2col, conv_relu_traces(with_contents(c), {}));
    hit += classes.test(static_cast<std::size_t>(CaseClass::tie)) ||
                   classes.test(static_cast<std::size_t>(CaseClass::beside_tie))
               ? 1
               : 0;
  }
  EXPECT_GE(hit, 150);
}

}  // namespace
}  // namespace tieout
