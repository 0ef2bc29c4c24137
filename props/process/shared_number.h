#pragma once
// Provides a number that a worker process writes and its parent reads, even after the worker has ended.

#include <sys/mman.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>

namespace tieout {

class SharedNumber {
 public:
  SharedNumber()
      : number_(static_cast<std::atomic<std::int64_t>*>(mmap(
            nullptr, sizeof(std::atomic<std::int64_t>), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {
    if (number_ == MAP_FAILED) std::abort();
  }
  SharedNumber(const SharedNumber&) = delete;
  SharedNumber& operator=(const SharedNumber&) = delete;
  ~SharedNumber() { munmap(number_, sizeof(std::atomic<std::int64_t>)); }

  void set(std::int64_t value) { *number_ = value; }
  [[nodiscard]] std::int64_t get() const { return *number_; }

 private:
  std::atomic<std::int64_t>* number_;  // 0 at first.
};

}  // namespace tieout
