#include "props/generate/generator.h"

#include <gtest/gtest.h>

#include "cases/contents.h"
#include "cases/strings/digest.h"
#include "cases/text/case_cost.h"
#include "cases/text/case_text.h"
#include "oracle/engines/fbgemm_path.h"
#include "props/generate/boundary_targeting.h"
#include "props/generate/case_class.h"
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
  EXPECT_EQ(digest.value(), 17136651482842920599U) << print(case_of(1, 0));
}

// A class that no case reaches verifies nothing, but would look like a pass.
TEST(Generator, ReachesEveryClassAndEveryPath) {
  std::array<int, kCaseClasses> reached{};
  std::array<int, 4> paths{};
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
