#pragma once
// Prints the errors that end a command, so that they look alike in all commands.

#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "oracle/libtorch/libtorch.h"

namespace tieout {

// Prints "tieout COMMAND: MESSAGE" on standard error, with control characters escaped, and returns the status. Errors
// of standard error itself are ignored.
int fail_command(std::string_view command, int status, std::string_view message);

// Returns the message for a LibTorch that cannot be loaded.
[[nodiscard]] std::string load_error(const EngineError& error);

// Loads LibTorch for a command. Error: kNotVerified, after the reason has been printed.
[[nodiscard]] tl::expected<LibTorch*, int> load_libtorch(std::string_view command, Waiting waiting = Waiting::spinning);

}  // namespace tieout
