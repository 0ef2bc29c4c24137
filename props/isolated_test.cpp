#include "props/isolated.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <stdexcept>
#include <vector>

namespace tieout {
namespace {

TEST(RunAlone, GivesTheAnswer) {
  const std::string large(1 << 20, 'x');  // more than a pipe holds
  EXPECT_EQ(run_alone([&] { return large; }, 10).value(), large);
}

TEST(RunAlone, SaysHowItDied) {
  const auto death = [](auto work) {
    return run_alone(
               [=]() -> std::string {
                 work();
                 return "";
               },
               0.5)
        .error();
  };
  EXPECT_EQ(death([] { raise(SIGSEGV); }).text(), "SIGSEGV");
  EXPECT_EQ(death([] { raise(SIGFPE); }).text(), "SIGFPE");
  EXPECT_EQ(death([] {
              std::fputs("heap is broken\n", stderr);
              std::abort();
            }).text(),
            "SIGABRT: heap is broken");
  EXPECT_EQ(death([] { throw std::runtime_error("thrown"); }).text(), "exit: thrown");
  EXPECT_EQ(death([] {
              for (;;) pause();
            }).text(),
            "hang");
}

// Every index is answered or died on, once and in order, whatever the worker does.
TEST(RunIsolated, LosesNothingAndRepeatsNothing) {
  std::vector<std::int64_t> seen;
  std::map<std::int64_t, std::string> died;
  run_isolated(0, 300, 0.3,
               {.work = [](std::int64_t index) -> std::string {
                  if (index % 97 == 13) std::abort();
                  if (index == 200)
                    for (;;) pause();
                  if (index == 299) raise(SIGKILL);
                  return std::to_string(index * index);
                },
                .answered =
                    [&](std::int64_t index, const std::string& answer) {
                      EXPECT_EQ(answer, std::to_string(index * index));
                      seen.push_back(index);
                      return true;
                    },
                .died =
                    [&](std::int64_t index, const Death& death) {
                      died[index] = death.text();
                      seen.push_back(index);
                      return true;
                    },
                .idle = {}});
  ASSERT_EQ(seen.size(), 300U);
  for (std::size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i], static_cast<std::int64_t>(i));
  EXPECT_EQ(died, (std::map<std::int64_t, std::string>{
                      {13, "SIGABRT"}, {110, "SIGABRT"}, {207, "SIGABRT"}, {200, "hang"}, {299, "SIGKILL"}}));
}

TEST(RunIsolated, StopsWhenTold) {
  std::int64_t last = -1;
  run_isolated(0, 1'000'000'000, 10,
               {.work = [](std::int64_t) { return std::string("x"); },
                .answered = [&](std::int64_t index, const std::string&) { return (last = index) < 500; },
                .died = {},
                .idle = {}});
  EXPECT_EQ(last, 500);
}

}  // namespace
}  // namespace tieout
