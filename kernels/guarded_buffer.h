#pragma once
// Memory between unmapped pages: a read or write that leaves it ends the process, or is seen afterwards.

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/subject.h"

namespace tieout {

class GuardedBuffer {
 public:
  GuardedBuffer() = default;
  GuardedBuffer(const GuardedBuffer&) = delete;
  GuardedBuffer& operator=(const GuardedBuffer&) = delete;
  ~GuardedBuffer();

  // Room for `size` bytes, aligned to `alignment` (a power of two up to a page), as near to the end or the begin of its
  // pages as that allows. The bytes hold `fill`. Aborts where there is no memory.
  void place(std::size_t size, std::size_t alignment, Conditions::Placement placement, std::uint8_t fill);

  [[nodiscard]] std::span<unsigned char> bytes() const { return {data_, size_}; }

  // Whether a byte beside the buffer, on its own pages, was written since place().
  enum class Strayed { no, before, behind };
  [[nodiscard]] Strayed strayed() const;

  // Whether an address lies on its pages or on the unmapped ones beside them; and how far before the first byte (negative) or
  // behind the last one (1: the next byte) it is. 0: inside.
  [[nodiscard]] bool covers(const void* address) const;
  [[nodiscard]] std::ptrdiff_t distance(const void* address) const;

 private:
  unsigned char* base_ = nullptr;  // of the mapping: unmapped, the pages, unmapped
  std::size_t pages_ = 0;          // bytes of the pages
  unsigned char* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace tieout
