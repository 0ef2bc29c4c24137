#pragma once
// Provides memory that a process shares with the processes that it forks, and that outlives them.

#include <sys/mman.h>

#include <type_traits>

namespace tieout {

// Holds a T whose bytes are 0 at first. Only pages that are written to take memory.
template <typename T>
class SharedMemory {
  static_assert(std::is_trivially_destructible_v<T>);

 public:
  // The object is empty, with the reason in errno, if the system refuses the memory.
  SharedMemory() : memory_(mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) {}
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;
  ~SharedMemory() {
    if (*this) munmap(memory_, sizeof(T));
  }

  explicit operator bool() const { return memory_ != MAP_FAILED; }
  [[nodiscard]] T& operator*() const { return *static_cast<T*>(memory_); }
  [[nodiscard]] T* operator->() const { return static_cast<T*>(memory_); }

 private:
  void* memory_;
};

}  // namespace tieout
