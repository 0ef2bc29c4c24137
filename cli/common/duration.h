#pragma once
// Parses times on the command line: seconds, and durations such as "1h30m". Measures seconds that have passed.

#include <chrono>
#include <string>
#include <tl/expected.hpp>

#include "cli/common/command.h"

namespace tieout {

inline constexpr double kLeastSeconds = 0.01;
inline constexpr double kMostSeconds = 1e6;  // more than eleven days

// Parses a decimal number of seconds from `least` to `most`; "nan" and "inf" are refused. The error states what is
// allowed.
[[nodiscard]] tl::expected<double, std::string> parse_seconds(const std::string& text, double least = kLeastSeconds,
                                                              double most = kMostSeconds);

// Returns the same check for an option of type double. Every option in seconds uses it.
[[nodiscard]] ValueCheck seconds_check(double least = kLeastSeconds, double most = kMostSeconds);

// Parses "90s", "45m", "8h" or "1h30m" and returns seconds, above 0 and at most ten years. The error states what is
// allowed.
[[nodiscard]] tl::expected<double, std::string> parse_duration(const std::string& text);

// Returns the seconds from `start` until now.
[[nodiscard]] double seconds_since(std::chrono::steady_clock::time_point start);

}  // namespace tieout
