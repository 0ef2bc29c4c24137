#pragma once
// Standard output for one report: `--json -` leaves nothing there but the report.

#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace tieout {

// From here on everything that this process and its children print to standard output goes to standard error.
[[nodiscard]] tl::expected<void, std::string> reserve_standard_output();

// Writes to the standard output that was reserved, or to standard output where none was.
[[nodiscard]] tl::expected<void, std::string> write_standard_output(std::string_view text);

}  // namespace tieout
