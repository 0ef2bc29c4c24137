#include "cases/random.h"

#include <gtest/gtest.h>

namespace tieout {
namespace {

// These are the published first outputs of SplitMix64 for seed 1234567. A change here changes every case ever drawn.
TEST(Random, GivesThePublishedSequence) {
  Random random(1234567);
  EXPECT_EQ(random.next(), 6457827717110365317U);
  EXPECT_EQ(random.next(), 3203168211198807973U);
  EXPECT_EQ(random.next(), 9817491932198370423U);
}

TEST(Random, PeekReturnsALaterNumberWithoutDrawing) {
  Random random(7);
  const Random start = random;
  for (std::uint64_t skipped = 0; skipped < 5; ++skipped) EXPECT_EQ(start.peek(skipped), random.next());
}

TEST(Random, StreamsOfOneSeedAreDifferentSequences) {
  EXPECT_NE(Random(7, 0).next(), Random(7, 1).next());
  EXPECT_NE(Random(7, 0).next(), Random(8, 0).next());
}

TEST(Random, BetweenReachesBothEndsAndStaysWithinThem) {
  Random random(1);
  bool low = false, high = false;
  for (int i = 0; i < 10'000; ++i) {
    const auto value = random.between(-128, 127);
    ASSERT_TRUE(-128 <= value && value <= 127);
    low |= value == -128;
    high |= value == 127;
  }
  EXPECT_TRUE(low && high);
}

}  // namespace
}  // namespace tieout
