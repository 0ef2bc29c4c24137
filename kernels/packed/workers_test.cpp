#include "kernels/packed/workers.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

namespace tieout {
namespace {

// Returns how often each part was done, which shows parts that are left out or done twice.
std::array<int, 5> done_in(int parts) {
  std::array<std::atomic<int>, 5> counts{};
  Workers::shared().run(parts, [&](int part) { ++counts[static_cast<std::size_t>(part)]; });
  std::array<int, 5> done{};
  for (std::size_t i = 0; i < done.size(); ++i) done[i] = counts[i];
  return done;
}

TEST(Workers, DoEachPartOnce) {
  for (int round = 0; round < 1000; ++round) {
    ASSERT_EQ(done_in(3), (std::array{1, 1, 1, 0, 0}));
    ASSERT_EQ(done_in(5), (std::array{1, 1, 1, 1, 1}));
    ASSERT_EQ(done_in(1), (std::array{1, 0, 0, 0, 0}));
  }
}

TEST(Workers, ServeConcurrentCalls) {
  std::atomic<int> inner{0};
  Workers::shared().run(2, [&](int) { Workers::shared().run(2, [&](int) { ++inner; }); });
  EXPECT_EQ(inner, 4);
}

// Campaigns run each case in a forked process, which has none of its parent's threads.
TEST(Workers, ServeAForkedProcess) {
  ASSERT_EQ(done_in(3), (std::array{1, 1, 1, 0, 0}));
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    alarm(20);  // instead of hanging
    _exit(done_in(3) == std::array{1, 1, 1, 0, 0} ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace tieout
