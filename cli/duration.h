#pragma once
// Times as people write them on a command line.

#include <CLI/CLI.hpp>
#include <string>
#include <tl/expected.hpp>

namespace tieout {

inline constexpr double kLeastSeconds = 0.01;
inline constexpr double kMostSeconds = 1e6;  // eleven days

// A decimal number of seconds from `least` to `most`. No "nan" and no "inf". The error says what is allowed.
[[nodiscard]] tl::expected<double, std::string> parse_seconds(const std::string& text, double least = kLeastSeconds,
                                                              double most = kMostSeconds);

// The same for an option of type double: refuses what parse_seconds() refuses. Every option in seconds has this check.
[[nodiscard]] CLI::Validator seconds_check(double least = kLeastSeconds, double most = kMostSeconds);

// "90s", "45m", "8h", "1h30m" in seconds, above 0 and at most ten years. The error says what is allowed.
[[nodiscard]] tl::expected<double, std::string> parse_duration(const std::string& text);

}  // namespace tieout
