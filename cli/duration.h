#pragma once
// Times as people write them on a command line.

#include <string>
#include <tl/expected.hpp>

namespace tieout {

// "90s", "45m", "8h", "1h30m" in seconds, above 0. The error says what is allowed.
[[nodiscard]] tl::expected<double, std::string> parse_duration(const std::string& text);

}  // namespace tieout
