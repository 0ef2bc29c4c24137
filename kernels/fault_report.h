#pragma once
// Says what a kernel was doing when it left its buffers, before the process dies of it.

#include <array>
#include <csignal>
#include <span>

#include "kernels/guarded_buffer.h"

namespace tieout {

struct NamedBuffer {
  const char* name;
  const GuardedBuffer* buffer;
};

// While one lives, a fault beside one of the buffers writes a line to standard error, "reads 3 bytes behind its weight",
// and the process then ends as it would have. One at a time. The buffers outlive it.
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
