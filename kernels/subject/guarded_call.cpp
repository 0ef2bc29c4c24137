#include "kernels/subject/guarded_call.h"

#include <immintrin.h>
#include <malloc.h>

#include <array>
#include <cfenv>
#include <cstdlib>
#include <exception>
#include <thread>
#include <utility>

namespace tieout {
namespace {

// Fills the stack below the caller's frame with this byte, so that variables that are read before they are written hold
// it.
[[gnu::noinline]] void dirty_stack(std::uint8_t with) {
  std::array<volatile std::uint8_t, 1 << 15> below;
  for (volatile std::uint8_t& byte : below) byte = with;
}

// While an object lives, malloc() returns memory filled with this byte. glibc fills new memory with the complement of
// M_PERTURB, and freed memory with M_PERTURB itself.
class DirtyHeap {
 public:
  explicit DirtyHeap(std::uint8_t with) { mallopt(M_PERTURB, static_cast<std::uint8_t>(~with)); }
  DirtyHeap(const DirtyHeap&) = delete;
  DirtyHeap& operator=(const DirtyHeap&) = delete;
  ~DirtyHeap() { mallopt(M_PERTURB, 0); }

  // Fills the chunks in the thread's cache of malloc(), which are returned as they were left: by our own allocations,
  // too, which may be others before each call.
  static void dirty_kept_chunks(std::uint8_t with) {
    constexpr std::size_t kLargest = 1032, kStep = 16, kOfEachSize = 7;
    std::array<void*, kLargest / kStep * kOfEachSize> chunks{};
    for (std::size_t i = 0; i < chunks.size(); ++i) {
      const std::size_t size = (i / kOfEachSize + 1) * kStep;
      chunks[i] = std::malloc(size);
      if (chunks[i] != nullptr) std::memset(chunks[i], with, size);
      asm volatile("" : : "r"(chunks[i]) : "memory");  // the compiler sees memory that is written and never read
    }
    for (void* const chunk : chunks) std::free(chunk);
  }
};

// Bits of MXCSR: rounding mode, flushing of denormals and exception masks. They belong to the thread, and a kernel must
// not change them.
constexpr unsigned kModes = 0xFFC0;

// Returns the kernel's text, cut off after 1000 bytes.
std::string shortened(const char* text) {
  constexpr std::size_t kMost = 1000;
  return {text, strnlen(text, kMost)};
}

CallResult call_here(const std::function<const char*()>& kernel, const Conditions& conditions) {
  CallResult result;
  const char* declined = nullptr;
  std::fenv_t modes;
  std::fegetenv(&modes);
  const unsigned before = _mm_getcsr() & kModes;
  dirty_stack(conditions.memory_fill);
  try {
    declined = kernel();
  } catch (const std::exception& error) {
    result.misbehaved = "throws: " + shortened(error.what());
  } catch (...) {
    result.misbehaved = "throws something that is no std::exception";
  }
  if ((_mm_getcsr() & kModes) != before) result.misbehaved = "leaves the thread with other floating-point modes";
  std::fesetenv(&modes);
  if (declined != nullptr) result.declined = shortened(declined);
  return result;
}

CallResult call_as(const std::function<const char*()>& kernel, const Conditions& conditions) {
  const DirtyHeap heap(conditions.memory_fill);
  DirtyHeap::dirty_kept_chunks(conditions.memory_fill);
  if (conditions.caller == Conditions::Caller::this_thread) return call_here(kernel, conditions);
  CallResult result;
  std::thread([&] { result = call_here(kernel, conditions); }).join();
  return result;
}

}  // namespace

CallResult call_guarded(const std::function<const char*()>& kernel, const Conditions& conditions,
                        std::span<const NamedBuffer> buffers) {
  const FaultReport report(buffers);
  return call_as(kernel, conditions);
}

std::string find_stray_write(std::span<const NamedBuffer> buffers) {
  for (const NamedBuffer& named : buffers) {
    const GuardedBuffer::Strayed strayed = named.buffer->strayed();
    if (strayed == GuardedBuffer::Strayed::no) continue;
    return std::string("writes ") + (strayed == GuardedBuffer::Strayed::before ? "before" : "behind") + " its " +
           named.name;
  }
  return {};
}

std::optional<SubjectError> error_of(const CallResult& result, std::string wrong_write) {
  std::string misuse = std::move(wrong_write);
  if (result.misbehaved) misuse = *result.misbehaved;
  if (!misuse.empty()) return SubjectError{SubjectError::Kind::misbehaved, std::move(misuse)};
  if (!result.declined) return {};
  return SubjectError{SubjectError::Kind::declined, result.declined->empty() ? kNoReason : *result.declined};
}

}  // namespace tieout
