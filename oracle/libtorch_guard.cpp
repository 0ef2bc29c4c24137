#include "oracle/libtorch_guard.h"

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

constexpr std::size_t kAlignment = 64;                    // what LibTorch expects of its own allocator
constexpr unsigned char kCanary = 0xA5;                   // between the end of the data and the end of its page
constexpr unsigned char kUnwritten = 0x5A;                // what fresh memory holds: never a lucky zero
constexpr std::size_t kMostFree = std::size_t{64} << 20;  // bytes of pages kept for the next tensors

std::size_t page_size() {
  static const auto size = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return size;
}

std::size_t round_up(std::size_t value, std::size_t multiple) { return (value + multiple - 1) / multiple * multiple; }

// One mapping: an unmapped page, the data pushed against the end of its pages, an unmapped page.
struct Block {
  std::size_t size, pages;  // bytes: of the data, of the pages that it lies in
  unsigned char* base;
};

// Some of LibTorch's callers keep nothing but the pointer to the data, so that is what a block is found by.
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
    std::memset(data, kUnwritten, size);  // what surrounds it are canaries since take()
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
  // A mapping with room for so many bytes, whole pages, full of canaries: one that was given back, or a new one. To map and
  // unmap pages for every tensor costs more than most small convolutions.
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

  // Each byte is the one before it, and the first a canary: as fast as memory is compared.
  static bool is_written(const unsigned char* begin, const unsigned char* end) {
    if (begin == end) return false;
    return *begin != kCanary || std::memcmp(begin, begin + 1, static_cast<std::size_t>(end - begin) - 1) != 0;
  }

  std::mutex mutex_;
  std::unordered_map<const unsigned char*, Block> blocks_;
  std::unordered_map<std::size_t, std::vector<unsigned char*>> free_;  // by bytes of pages
  std::size_t free_bytes_ = 0;
};

}  // namespace

void guard_tensors(bool on) {
  constexpr std::uint8_t kPriority = 100;  // the later call wins among equals
  c10::SetCPUAllocator(on ? &GuardedAllocator::instance() : c10::GetDefaultCPUAllocator(), kPriority);
}

}  // namespace tieout
