#include "cli/common/duration.h"

#include <fmt/core.h>

#include <charconv>

namespace tieout {

tl::expected<double, std::string> parse_seconds(const std::string& text, double least, double most) {
  double seconds = 0;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, seconds);
  // Comparisons with NaN are false, so that NaN is refused.
  if (read.ec == std::errc() && read.ptr == end && seconds >= least && seconds <= most) return seconds;
  return tl::unexpected(fmt::format("must be a number of seconds from {} to {}; is '{}'", least, most, text));
}

ValueCheck seconds_check(double least, double most) {
  const auto check = [=](const std::string& text) {
    const auto seconds = parse_seconds(text, least, most);
    return seconds ? std::string() : seconds.error();
  };
  return {.description = fmt::format("{} to {}", least, most), .fault = check};
}

tl::expected<double, std::string> parse_duration(const std::string& text) {
  constexpr double kMost = 10 * 365 * 24 * 3600.0;
  double seconds = 0;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    double value = 0;
    const auto read = std::from_chars(at, end, value, std::chars_format::fixed);
    const double unit = read.ec != std::errc() || read.ptr == end ? 0
                        : *read.ptr == 's'                        ? 1
                        : *read.ptr == 'm'                        ? 60
                        : *read.ptr == 'h'                        ? 3600
                                                                  : 0;
    if (unit == 0 || !(value >= 0 && value <= kMost)) break;
    seconds += value * unit;
    at = read.ptr + 1;
  }
  if (at < end || !(seconds > 0 && seconds <= kMost)) {
    return tl::unexpected("must be a time such as 90s, 45m, 8h or 1h30m, at most 87600h; is '" + text + "'");
  }
  return seconds;
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace tieout
