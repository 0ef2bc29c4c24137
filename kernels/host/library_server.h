#pragma once
// Runs the process that hosts a user's library: loads the library and answers problems one after the other. It is part
// of the program tieout-subject-host.

#include <string>

namespace tieout {

// Reads problems from standard input and writes answers to standard output, in the messages of host_protocol.h, until
// its input ends. The library itself gets /dev/null as standard input and output. Returns the exit status of the
// process.
[[nodiscard]] int serve_library(const std::string& file);

// The exit status if the library has closed, taken over or read from a file descriptor of the host.
inline constexpr int kConnectionLost = 124;

}  // namespace tieout
