#pragma once
// Describes the CPU that a command runs on, for reports and records.

#include <string>

namespace tieout {

// Returns the CPU's model name from /proc/cpuinfo, or "unknown CPU".
[[nodiscard]] std::string cpu_name();

}  // namespace tieout
