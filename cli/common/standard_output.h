#pragma once
// Reserves standard output for one report, so that `--json -` prints nothing else there.

#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace tieout {

// Redirects all later standard output of this process and its children to standard error. Error: the system's message.
[[nodiscard]] tl::expected<void, std::string> reserve_standard_output();

// Writes to the reserved standard output, or to standard output if none was reserved. Error: why it cannot be written.
[[nodiscard]] tl::expected<void, std::string> write_standard_output(std::string_view text);

// Writes to the file, or to standard output if it is "-". Error: why it cannot be written.
[[nodiscard]] tl::expected<void, std::string> write_output(const std::string& file, std::string_view text);

}  // namespace tieout
