#include "props/diagnose/formula.h"

#include <gtest/gtest.h>

#include "props/diagnose/condition.h"

namespace tieout {
namespace {

using V = Variable;

Variables with_k(std::int64_t k, std::int64_t out_channels) {
  Variables v{};
  at(v, V::k) = k;
  at(v, V::out_channels) = out_channels;
  return v;
}

TEST(Formula, IsEvaluatedAndPrintedWithTheParenthesesThatItNeeds) {
  const Formula tail = Formula(V::k) - Formula(V::out_channels) / 8 * 8;
  EXPECT_EQ(tail.evaluate(with_k(17, 19)), 1);
  EXPECT_EQ(tail.text(), "k - K / 8 * 8");
  EXPECT_EQ(tail.c_code(), "k - c->out_channels / 8 * 8");
  EXPECT_EQ((Formula(V::k) - (Formula(V::k) - 1)).text(), "k - (k - 1)");
  EXPECT_EQ(((Formula(V::k) + 1) % V::out_channels).text(), "(k + 1) % K");
}

TEST(Formula, ConvertsToFewBits) {
  Variables v{};
  at(v, V::value) = 200;
  EXPECT_EQ(Formula::of(Formula::Op::signed_bits, V::value, 8).evaluate(v), -56);
  EXPECT_EQ(Formula::of(Formula::Op::saturate, V::value, 8).evaluate(v), 127);
  at(v, V::value) = -1;
  EXPECT_EQ(Formula::of(Formula::Op::unsigned_bits, V::value, 8).evaluate(v), 255);
}

// A kernel cannot divide by 0, but formulas are tried on all cases.
TEST(Formula, DividedByZeroKeepsTheDividend) {
  Variables v{};
  at(v, V::k) = 7;
  EXPECT_EQ((Formula(V::k) / V::padding).evaluate(v), 7);
  EXPECT_EQ((Formula(V::k) % V::padding).evaluate(v), 7);
}

TEST(Separate, FindsAThreshold) {
  std::vector<Variables> inside;
  std::vector<Variables> outside;
  for (std::int64_t k = 0; k < 40; ++k) (k >= 16 ? inside : outside).push_back(with_k(k, 40));
  const auto condition = separate(inside, outside, false);
  ASSERT_TRUE(condition);
  EXPECT_EQ(condition->text(), "k >= 16");
}

// The channels that a loop over blocks of eight leaves, where there is a whole block.
TEST(Separate, FindsTheTailOfBlocks) {
  std::vector<Variables> inside;
  std::vector<Variables> outside;
  for (const std::int64_t channels : {3, 8, 9, 16, 19, 30}) {
    for (std::int64_t k = 0; k < channels; ++k) {
      const bool in_tail = channels > 8 && k >= channels / 8 * 8;
      (in_tail ? inside : outside).push_back(with_k(k, channels));
    }
  }
  const auto condition = separate(inside, outside, false);
  ASSERT_TRUE(condition);
  for (const Variables& v : inside) EXPECT_TRUE(condition->holds(v));
  for (const Variables& v : outside) EXPECT_FALSE(condition->holds(v));
  // Other channels than those that it was learned from.
  EXPECT_TRUE(condition->holds(with_k(24, 27)));
  EXPECT_FALSE(condition->holds(with_k(23, 27)));
  EXPECT_FALSE(condition->holds(with_k(5, 6)));
}

TEST(Separate, GivesNothingWhereNoConditionExists) {
  const std::vector<Variables> same{with_k(1, 2)};
  EXPECT_FALSE(separate(same, same, false));
}

}  // namespace
}  // namespace tieout
