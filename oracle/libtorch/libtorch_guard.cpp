#include "oracle/libtorch/libtorch_guard.h"

#include <c10/core/CPUAllocator.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace tieout {
namespace {

constexpr std::size_t kAlignment = 64;   // alignment of LibTorch's own allocator
constexpr unsigned char kCanary = 0xA5;  // fills the bytes between the end of the data and the end of its page
// Fills fresh memory, so that unwritten elements are not 0 by chance.
constexpr unsigned char kUnwritten = 0x5A;
constexpr std::size_t kMostFree = std::size_t{64} << 20;  // bytes of pages kept for later tensors

std::size_t page_size() {
  static const auto size = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return size;
}

std::size_t round_up(std::size_t value, std::size_t multiple) { return (value + multiple - 1) / multiple * multiple; }

// One mapping: an unmapped page, the data at the end of their pages, an unmapped page.
struct Block {
  // In bytes: of the data, and of the pages that they lie in.
  std::size_t size, pages;
  unsigned char* base;
};

// Blocks are found by the data pointer, because some of LibTorch's callers keep nothing else.
class GuardedAllocator final : public at::Allocator {
 public:
  static GuardedAllocator& instance() {
    static GuardedAllocator allocator;
    return allocator;
  }

  at::DataPtr allocate(std::size_t size) override {
    const std::size_t page = page_size();
    const std::size_t aligned = round_up(size == 0 ? 1 : size, kAlignment);
    const std::size_t pages = round_up(aligned, page);
    unsigned char* const base = take(pages);
    unsigned char* const data = base + page + pages - aligned;
    // take() has filled the surrounding bytes with canaries.
    std::memset(data, kUnwritten, size);
    {
      const std::scoped_lock lock(mutex_);
      blocks_[data] = {size, pages, base};
    }
    return {data, data, &release, at::Device(at::DeviceType::CPU)};
  }

  at::DeleterFnPtr raw_deleter() const override { return &release; }

  void copy_data(void* destination, const void* source, std::size_t count) const override {
    default_copy_data(destination, source, count);
  }

 private:
  // Returns a mapping of `pages` bytes (whole pages) that are filled with canaries: one that was given back, or a new
  // one. Mapping and unmapping pages for every tensor would cost more than most small convolutions.
  unsigned char* take(std::size_t pages) {
    {
      const std::scoped_lock lock(mutex_);
      const auto free = free_.find(pages);
      if (free != free_.end() && !free->second.empty()) {
        unsigned char* const base = free->second.back();
        free->second.pop_back();
        free_bytes_ -= pages;
        return base;
      }
    }
    const std::size_t page = page_size();
    void* const memory = mmap(nullptr, pages + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    TORCH_CHECK(memory != MAP_FAILED, "no memory for a guarded tensor in ", pages, " bytes of pages");
    auto* const base = static_cast<unsigned char*>(memory);
    TORCH_CHECK(mprotect(base + page, pages, PROT_READ | PROT_WRITE) == 0, "cannot open a guarded tensor's pages");
    std::memset(base + page, kCanary, pages);
    return base;
  }

  void give_back(const Block& block) {
    {
      const std::scoped_lock lock(mutex_);
      if (free_bytes_ + block.pages <= kMostFree) {
        free_[block.pages].push_back(block.base);
        free_bytes_ += block.pages;
        return;
      }
    }
    munmap(block.base, block.pages + 2 * page_size());
  }

  static void release(void* data) { instance().close(static_cast<unsigned char*>(data)); }

  void close(unsigned char* data) {
    Block block;
    {
      const std::scoped_lock lock(mutex_);
      const auto found = blocks_.find(data);
      if (found == blocks_.end()) std::abort();
      block = found->second;
      blocks_.erase(found);
    }
    unsigned char* const begin = block.base + page_size();
    const unsigned char* const end = begin + block.pages;
    const char* const where = is_written(begin, data)              ? "written before a tensor\n"
                              : is_written(data + block.size, end) ? "written behind a tensor\n"
                                                                   : nullptr;
    if (where != nullptr) {
      std::fputs(where, stderr);
      std::abort();
    }
    std::memset(data, kCanary, block.size);
    give_back(block);
  }

  // True if some byte is not a canary: compares the first byte with the canary and each byte with the one before it, at
  // the speed of memcmp.
  static bool is_written(const unsigned char* begin, const unsigned char* end) {
    if (begin == end) return false;
    return *begin != kCanary || std::memcmp(begin, begin + 1, static_cast<std::size_t>(end - begin) - 1) != 0;
  }

  std::mutex mutex_;
  std::unordered_map<const unsigned char*, Block> blocks_;
  std::unordered_map<std::size_t, std::vector<unsigned char*>> free_;  // the key is the number of bytes of pages
  std::size_t free_bytes_ = 0;
};

}  // namespace

void guard_tensors(bool on) {
  constexpr std::uint8_t kPriority = 100;  // among equal priorities the later call wins
  c10::SetCPUAllocator(on ? &GuardedAllocator::instance() : c10::GetDefaultCPUAllocator(), kPriority);
}

}  // namespace tieout
