#pragma once
// Describes the machine that a command runs on, for reports.

#include <string>

namespace tieout {

// Returns the CPU's model name from /proc/cpuinfo, or "unknown CPU".
[[nodiscard]] std::string cpu_name();

}  // namespace tieout
