#include "kernels/subject/guarded_buffer.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

namespace tieout {
namespace {

constexpr unsigned char kCanary = 0x96;  // fills the bytes beside the data on its pages

// Size of the unmapped memory on each side, so that an index that is wrong by a row or a plane does not reach beyond
// it.
constexpr std::size_t kGuard = std::size_t{1} << 20;

std::size_t page_size() { return static_cast<std::size_t>(sysconf(_SC_PAGESIZE)); }

}  // namespace

GuardedBuffer::~GuardedBuffer() {
  if (base_ != nullptr) munmap(base_, pages_ + 2 * kGuard);
}

void GuardedBuffer::place(std::size_t size, std::size_t alignment, Conditions::Placement placement, std::uint8_t fill) {
  const std::size_t page = page_size();
  const std::size_t pages = std::max(page, (size + page - 1) / page * page);
  if (pages != pages_) {
    if (base_ != nullptr) munmap(std::exchange(base_, nullptr), std::exchange(pages_, 0) + 2 * kGuard);
    void* const memory = mmap(nullptr, pages + 2 * kGuard, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED ||
        mprotect(static_cast<unsigned char*>(memory) + kGuard, pages, PROT_READ | PROT_WRITE) != 0) {
      if (memory != MAP_FAILED) munmap(memory, pages + 2 * kGuard);
      throw std::bad_alloc();
    }
    base_ = static_cast<unsigned char*>(memory);
    pages_ = pages;
  }
  unsigned char* const first = base_ + kGuard;
  const std::size_t room = placement == Conditions::Placement::at_end ? (pages - size) / alignment * alignment : 0;
  data_ = first + room;
  size_ = size;
  std::memset(first, kCanary, room);
  std::memset(data_, fill, size);
  std::memset(data_ + size, kCanary, pages - room - size);
}

GuardedBuffer::Strayed GuardedBuffer::strayed() const {
  const auto written = [](unsigned char c) { return c != kCanary; };
  const unsigned char* const first = base_ + kGuard;
  if (std::any_of<const unsigned char*>(first, data_, written)) return Strayed::before;
  if (std::any_of<const unsigned char*>(data_ + size_, first + pages_, written)) return Strayed::behind;
  return Strayed::no;
}

bool GuardedBuffer::covers(const void* address) const {
  const auto* const at = static_cast<const unsigned char*>(address);
  return base_ != nullptr && base_ <= at && at < base_ + pages_ + 2 * kGuard;
}

std::ptrdiff_t GuardedBuffer::distance(const void* address) const {
  const auto* const at = static_cast<const unsigned char*>(address);
  if (at < data_) return at - data_;
  return at < data_ + size_ ? 0 : at - (data_ + size_) + 1;
}

}  // namespace tieout
