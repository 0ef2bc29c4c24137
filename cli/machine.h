#pragma once
// The machine that a command runs on, for its user's eyes.

#include <string>

namespace tieout {

// As the CPU calls itself, or "unknown CPU".
[[nodiscard]] std::string cpu_name();

}  // namespace tieout
