#pragma once
// Provides memory between unmapped pages, to detect accesses outside of a buffer: an access to these pages ends the
// process, and a write beside the buffer on its own pages is found by strayed().

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/subject/subject.h"

namespace tieout {

class GuardedBuffer {
 public:
  GuardedBuffer() = default;
  GuardedBuffer(const GuardedBuffer&) = delete;
  GuardedBuffer& operator=(const GuardedBuffer&) = delete;
  ~GuardedBuffer();

  // Makes bytes() a buffer of `size` bytes that hold `fill`, aligned to `alignment` (a power of two, at most a page),
  // as near to the end or the beginning of its pages as the alignment allows. Throws std::bad_alloc if there is no
  // memory.
  void place(std::size_t size, std::size_t alignment, Conditions::Placement placement, std::uint8_t fill);

  [[nodiscard]] std::span<unsigned char> bytes() const { return {data_, size_}; }

  // Returns whether a byte beside the buffer, on the buffer's own pages, was changed since place(), and on which side.
  enum class Strayed { no, before, behind };
  [[nodiscard]] Strayed strayed() const;

  // Returns true if the address lies on the buffer's pages or on the unmapped ones beside them.
  [[nodiscard]] bool covers(const void* address) const;
  // Returns the distance of the address from the buffer in bytes: negative before the first byte, positive behind the
  // last one (1 is the next byte), 0 inside.
  [[nodiscard]] std::ptrdiff_t distance(const void* address) const;

 private:
  unsigned char* base_ = nullptr;  // start of the mapping: unmapped pages, the buffer's pages, unmapped pages
  std::size_t pages_ = 0;          // size of the buffer's pages in bytes
  unsigned char* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace tieout
