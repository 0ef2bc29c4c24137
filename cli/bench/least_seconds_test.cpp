#include "cli/bench/least_seconds.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>

namespace tieout {
namespace {

using std::chrono::milliseconds;

TEST(LeastSeconds, AreThoseOfOneCallOfEachWork) {
  const auto least = least_seconds(
      {[] { std::this_thread::sleep_for(milliseconds(4)); }, [] { std::this_thread::sleep_for(milliseconds(1)); }},
      0.002, 3);
  ASSERT_EQ(least.size(), 2U);
  EXPECT_GE(least[0], 0.004);  // a sleep is never shorter than asked for; a load may make it longer
  EXPECT_GE(least[1], 0.001);
  EXPECT_GT(least[0], least[1]);
}

TEST(LeastSeconds, IsTheMinimumOfTheRepetitions) {
  int calls = 0;
  // The calls that find out their number, and all repetitions but the last, are slow.
  const auto least =
      least_seconds({[&] { std::this_thread::sleep_for(milliseconds(++calls == 5 ? 1 : 30)); }}, 0.001, 4);
  EXPECT_EQ(calls, 5);  // one lasts longer than a millisecond
  EXPECT_LT(least[0], 0.030);
}

TEST(LeastSeconds, RepetitionsLastTheirTime) {
  double spent = 0;
  const auto work = [&] {
    const auto start = std::chrono::steady_clock::now();
    std::this_thread::sleep_for(std::chrono::microseconds(200));
    spent += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  static_cast<void>(least_seconds({work}, 0.02, 5));
  EXPECT_GT(spent, 0.09);  // five repetitions of nearly 0.02 s, and the calls before them
}

TEST(LeastSeconds, MixesTheRepetitions) {
  std::string order;
  static_cast<void>(least_seconds({[&] { order += 'a'; }, [&] { order += 'b'; }}, 0, 8));
  ASSERT_EQ(order.size(), 18U);  // one call of each finds out their number
  order.erase(0, 2);
  EXPECT_NE(order, std::string(8, 'a') + std::string(8, 'b'));
  EXPECT_NE(order, std::string(8, 'b') + std::string(8, 'a'));
}

}  // namespace
}  // namespace tieout
