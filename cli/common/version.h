#pragma once
// Describes the program, what it was built with and what it runs on, for `tieout --version` and error reports.

#include <string>

namespace tieout {

// Returns the version of the program: "0.1.0".
[[nodiscard]] std::string program_version();

// Returns lines with the versions of the program, of LibTorch and of the compiler, and with the CPU and its instruction
// sets. Loads LibTorch; if that fails, its line has the reason.
[[nodiscard]] std::string version_text();

}  // namespace tieout
