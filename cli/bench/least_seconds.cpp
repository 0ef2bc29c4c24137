#include "cli/bench/least_seconds.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>

#include "cases/random.h"

namespace tieout {
namespace {

using Clock = std::chrono::steady_clock;

double time_calls(const std::function<void()>& work, std::int64_t calls) {
  const auto start = Clock::now();
  for (std::int64_t i = 0; i < calls; ++i) {
    work();
    std::atomic_signal_fence(std::memory_order_seq_cst);  // the compiler must assume that the results are read
  }
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Returns a number of calls that lasts `seconds`. The number grows by at most ten at a time, because the first calls,
// which fill the caches, say little about later ones.
std::int64_t enough_calls(const std::function<void()>& work, double seconds) {
  std::int64_t calls = 1;
  for (;;) {
    const double taken = time_calls(work, calls);
    if (taken >= seconds) return calls;
    constexpr double kMargin = 1.4, kMostGrowth = 10;
    const double growth = std::clamp(kMargin * seconds / std::max(taken, 1e-9), kMargin, kMostGrowth);
    calls = static_cast<std::int64_t>(static_cast<double>(calls) * growth) + 1;
  }
}

}  // namespace

std::vector<double> least_seconds(const std::vector<std::function<void()>>& works, double seconds, int repetitions) {
  std::vector<std::int64_t> calls;
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < works.size(); ++i) {
    calls.push_back(enough_calls(works[i], seconds));
    order.insert(order.end(), static_cast<std::size_t>(repetitions), i);
  }
  Random random(1);
  for (std::size_t left = order.size(); left > 1; --left) {
    std::swap(order[left - 1], order[random.below(static_cast<std::uint32_t>(left))]);
  }
  std::vector<double> least(works.size(), std::numeric_limits<double>::max());
  for (const std::size_t i : order) {
    least[i] = std::min(least[i], time_calls(works[i], calls[i]) / static_cast<double>(calls[i]));
  }
  return least;
}

}  // namespace tieout
