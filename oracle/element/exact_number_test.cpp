#include "oracle/element/exact_number.h"

#include <gtest/gtest.h>

#include <cmath>

#include "cases/random.h"

namespace tieout {
namespace {

int compared(const ExactNumber& a, ExactNumber b) {
  b -= a;
  return -b.sign();
}

TEST(ExactNumber, SignsAndZero) {
  EXPECT_EQ(ExactNumber{}.sign(), 0);
  EXPECT_EQ(ExactNumber::product(3, 0.0).sign(), 0);
  EXPECT_EQ(ExactNumber::product(3, -2.0).sign(), -1);
  EXPECT_EQ(ExactNumber::product(-3, -2.0, 5.0).sign(), 1);
  EXPECT_EQ(ExactNumber::product(1, 0x1p-149).sign(), 1);  // the least positive float
  EXPECT_EQ(ExactNumber::product(-1, 0x1p-127, 0x1p-127).sign(), -1);
}

TEST(ExactNumber, KeepsWhatFloat64Rounds) {
  ExactNumber sum = ExactNumber::product(1, 0.1);
  sum += ExactNumber::product(1, 0.2);
  EXPECT_EQ(compared(sum, ExactNumber::product(1, 0.3)), 1);
  EXPECT_EQ(0.1 * 10, 1.0);
  EXPECT_EQ(compared(ExactNumber::product(10, 0.1), ExactNumber::product(1, 1.0)), 1);
  sum += ExactNumber::product(-1, 0.1);
  EXPECT_EQ(compared(sum, ExactNumber::product(1, 0.2)), 0);
}

// A tiny term decides between two huge ones that are equal, across the whole range.
TEST(ExactNumber, HoldsTheWholeRange) {
  constexpr std::int64_t kRaw = std::int64_t{1} << 45;
  ExactNumber n = ExactNumber::product(kRaw, 0x1.fffffep127, 0x1.fffffep127);
  n += ExactNumber::product(-kRaw, 0x1.fffffep127, 0x1.fffffep127);
  const ExactNumber tiny = ExactNumber::product(1, 0x1p-127, 0x1.0000000000001p-127);
  n += tiny;
  EXPECT_EQ(n.sign(), 1);
  n -= ExactNumber::product(1, 0x1p-127, 0x1p-127);
  EXPECT_EQ(n.sign(), 1);  // 2^-306 is left
  n += ExactNumber::product(1, 0x1p-127, 0x1p-127);
  n -= tiny;
  EXPECT_EQ(n.sign(), 0);
}

// The factors have 20 bits at most, so that float64 holds all values exactly.
TEST(ExactNumber, AgreesWithFloat64WhereThatIsExact) {
  Random random(3);
  for (int i = 0; i < 20000; ++i) {
    const std::int64_t integer = random.between(-4096, 4096);
    const double a =
        std::ldexp(static_cast<double>(random.between(-4096, 4096)), static_cast<int>(random.between(-9, 9)));
    const double b = std::ldexp(static_cast<double>(random.between(1, 4096)), static_cast<int>(random.between(-9, 9)));
    const std::int64_t other = random.between(-4096, 4096);
    ExactNumber n = ExactNumber::product(integer, a, b);
    n += ExactNumber::product(other, 1.0);
    const double value = static_cast<double>(integer) * a * b + static_cast<double>(other);
    ASSERT_EQ(n.sign(), value > 0 ? 1 : value < 0 ? -1 : 0) << integer << " " << a << " " << b << " " << other;
  }
}

}  // namespace
}  // namespace tieout
