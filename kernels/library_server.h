#pragma once
// The process that hosts a user's library: loads it and answers problems, one after the other. Part of the program
// tieout-subject-host.

#include <string>

namespace tieout {

// Reads problems from standard input and writes answers to standard output, as host_protocol.h has them, until its input ends.
// Standard input and output are /dev/null for the library. Returns the process' exit status.
[[nodiscard]] int serve_library(const std::string& file);

inline constexpr int kConnectionLost =
    124;  // exit status: the library has closed or taken over a file descriptor of the host

}  // namespace tieout
