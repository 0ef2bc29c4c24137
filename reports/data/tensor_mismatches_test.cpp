#include "reports/data/tensor_mismatches.h"

#include <gtest/gtest.h>

namespace tieout {
namespace {

Answers tensor(std::vector<std::int32_t> values) {
  return {{static_cast<std::int64_t>(values.size())}, std::move(values)};
}

TEST(TensorMismatches, EqualTensorsAreEqual) {
  const TensorMismatches d = compare_tensors(tensor({1, 2}), tensor({1, 2}));
  EXPECT_TRUE(d.equal());
  EXPECT_EQ(d.elements, 2);
}

// The signed sum, which the experiment prints, is 0 although the tensors differ.
TEST(TensorMismatches, DifferencesWithASumOfZeroAreFound) {
  const TensorMismatches d = compare_tensors(tensor({10, 20, 255}), tensor({11, 19, 255}));
  EXPECT_EQ(d.signed_sum, 0);
  EXPECT_EQ(d.offsets, (std::vector<std::int64_t>{0, 1}));
  EXPECT_EQ(d.largest, 1);
}

// 0 and 255 differ by 255: a subtraction that wraps would give 1.
TEST(TensorMismatches, SubtractsWithoutWrapping) {
  EXPECT_EQ(compare_tensors(tensor({0}), tensor({255})).largest, 255);
}

// Tests all 65,536 pairs of values.
TEST(TensorMismatches, FindsEveryPairOfDifferentValues) {
  for (int a = 0; a < 256; ++a) {
    for (int b = 0; b < 256; ++b) {
      const TensorMismatches d =
          compare_tensors(tensor({static_cast<std::uint8_t>(a)}), tensor({static_cast<std::uint8_t>(b)}));
      ASSERT_EQ(d.equal(), a == b);
      ASSERT_EQ(d.signed_sum, b - a);
    }
  }
}

TEST(TensorMismatchesDeathTest, ShapesMustAgree) {
  EXPECT_DEATH((void)compare_tensors({{2}, {1, 2}}, {{1, 2}, {1, 2}}), "different shapes");
  EXPECT_DEATH((void)compare_tensors({{2}, {1, 2}}, {{2}, {1}}), "different shapes");
}

}  // namespace
}  // namespace tieout
