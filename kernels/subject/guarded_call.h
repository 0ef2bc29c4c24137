#pragma once
// Calls a kernel under the conditions that must not matter, and detects what a kernel must not do: writing outside of
// its output, throwing, changing floating-point modes. What is called, and with which buffers, is the caller's:
// kernel_call.h for convolutions, operator_call.h for other operators.

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "kernels/subject/fault_report.h"
#include "kernels/subject/guarded_buffer.h"
#include "kernels/subject/subject.h"

namespace tieout {

// The message for a kernel that writes where it may only read.
inline constexpr const char* kWritesIntoInputs = "writes into its inputs";

// The result of the call itself.
struct CallResult {
  std::optional<std::string> declined;    // the kernel's reason
  std::optional<std::string> misbehaved;  // what the kernel did
};

// Calls the kernel with the memory of the conditions, on their thread. kernel: returns the kernel's reason for
// declining, or nullptr. buffers: those that the kernel gets; an access beside one of them is named before it ends the
// process.
[[nodiscard]] CallResult call_guarded(const std::function<const char*()>& kernel, const Conditions& conditions,
                                      std::span<const NamedBuffer> buffers);

// Returns beside which buffer the kernel has written: "writes behind its output"; empty if beside none.
[[nodiscard]] std::string find_stray_write(std::span<const NamedBuffer> buffers);

// Returns the error of a call without an answer, or nothing if the output counts. wrong_write: what the kernel wrote
// without permission; empty: nothing.
[[nodiscard]] std::optional<SubjectError> error_of(const CallResult& result, std::string wrong_write);

// Copies the values into the buffer, aligned to `alignment` and to their own type. Returns the address of the first.
template <typename T>
const T* fill_buffer(GuardedBuffer& buffer, const std::vector<T>& values, std::size_t alignment,
                     const Conditions& conditions) {
  const std::size_t size = values.size() * sizeof(T);
  buffer.place(size, std::max(alignment, alignof(T)), conditions.placement, 0);
  if (size > 0) std::memcpy(buffer.bytes().data(), static_cast<const void*>(values.data()), size);
  return reinterpret_cast<const T*>(buffer.bytes().data());
}

// True if the buffer still holds the values.
template <typename T>
bool holds(const GuardedBuffer& buffer, const std::vector<T>& values) {
  return values.empty() ||
         std::memcmp(buffer.bytes().data(), static_cast<const void*>(values.data()), values.size() * sizeof(T)) == 0;
}

}  // namespace tieout
