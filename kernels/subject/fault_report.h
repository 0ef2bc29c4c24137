#pragma once
// Reports which buffer a kernel left, and by how many bytes, before the process ends by the memory fault.

#include <array>
#include <csignal>
#include <span>

#include "kernels/subject/guarded_buffer.h"

namespace tieout {

// A buffer with the name that messages use.
struct NamedBuffer {
  const char* name;
  const GuardedBuffer* buffer;
};

// While an object lives, a memory fault beside one of the buffers writes a line such as "reads 3 bytes behind its
// weight" to standard error, and the process then ends as it would without this class. At most one object may live at a
// time, because the signal handlers belong to the process. The buffers must outlive it.
class FaultReport {
 public:
  explicit FaultReport(std::span<const NamedBuffer> buffers);
  FaultReport(const FaultReport&) = delete;
  FaultReport& operator=(const FaultReport&) = delete;
  ~FaultReport();

 private:
  std::array<struct sigaction, 2> before_{};
};

}  // namespace tieout
