#pragma once
// Splits work into parts and runs them on several threads.

#include <algorithm>
#include <cstdint>
#include <thread>
#include <vector>

namespace tieout {

// Calls work(part, begin, end) for parts 0, 1, .. that cover 0..count in this order. The parts run at the same time, on
// at most `threads` threads, the calling thread among them. work must not throw.
template <typename Work>
void in_parts(std::int64_t count, int threads, const Work& work) {
  const std::int64_t parts = std::clamp<std::int64_t>(threads, 1, std::max<std::int64_t>(count, 1));
  std::vector<std::thread> others;
  for (std::int64_t part = 1; part < parts; ++part) {
    others.emplace_back([&work, part, parts, count] {
      work(static_cast<std::size_t>(part), count * part / parts, count * (part + 1) / parts);
    });
  }
  work(std::size_t{0}, std::int64_t{0}, count / parts);
  for (std::thread& other : others) other.join();
}

}  // namespace tieout
