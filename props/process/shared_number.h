#pragma once
// Provides a number that a worker process writes and its parent reads, even after the worker has ended.

#include <atomic>
#include <cstdint>
#include <cstdlib>

#include "cases/machine/shared_memory.h"

namespace tieout {

class SharedNumber {
 public:
  SharedNumber() {
    if (!number_) std::abort();
  }

  void set(std::int64_t value) { *number_ = value; }
  [[nodiscard]] std::int64_t get() const { return *number_; }

 private:
  SharedMemory<std::atomic<std::int64_t>> number_;
};

}  // namespace tieout
