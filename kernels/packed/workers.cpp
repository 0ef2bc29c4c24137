#include "kernels/packed/workers.h"

#include <unistd.h>

#include "cases/machine/parallel.h"

namespace tieout {
namespace {

// Number of checks for new work before a worker sleeps, about a hundred microseconds: layers follow one another within
// microseconds, and waking a thread takes tens of them.
constexpr int kLooks = 5'000;

void pause_briefly() { __builtin_ia32_pause(); }

}  // namespace

Workers& Workers::shared() {
  static auto* const workers = new Workers;  // never destroyed, because its threads wait until the process ends
  return *workers;
}

Workers::Workers() : owner_(getpid()) {}

void Workers::start(int count) {
  while (static_cast<int>(threads_.size()) < count) {
    const int part = static_cast<int>(threads_.size()) + 1;
    threads_.emplace_back([this, part, seen = round_.load()] { serve(part, seen); });
  }
}

void Workers::serve(int part, std::uint32_t seen) {
  while (true) {
    for (int look = 0; look < kLooks && round_.load(std::memory_order_acquire) == seen; ++look) pause_briefly();
    round_.wait(seen, std::memory_order_acquire);
    seen = round_.load(std::memory_order_acquire);
    if (part < parts_) (*work_)(part);
    left_.fetch_sub(1, std::memory_order_release);
  }
}

void Workers::run(int parts, const std::function<void(int)>& work) {
  if (parts <= 1) return work(0);
  // A forked process has none of the threads, and its copy of the lock may be in any state.
  const bool ours = getpid() == owner_;
  if (!ours || !busy_.try_lock()) {
    in_parts(parts, parts, [&](std::size_t, std::int64_t part, std::int64_t) { work(static_cast<int>(part)); });
    return;
  }
  const std::lock_guard lock(busy_, std::adopt_lock);
  start(parts - 1);
  work_ = &work;
  parts_ = parts;
  left_.store(static_cast<int>(threads_.size()), std::memory_order_relaxed);
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  work(0);
  for (int look = 0; left_.load(std::memory_order_acquire) != 0; ++look) {
    if (look < kLooks) {
      pause_briefly();
    } else {
      std::this_thread::yield();
    }
  }
}

}  // namespace tieout
