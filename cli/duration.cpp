#include "cli/duration.h"

#include <charconv>

namespace tieout {

tl::expected<double, std::string> parse_duration(const std::string& text) {
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
    if (unit == 0 || !(value >= 0)) break;
    seconds += value * unit;
    at = read.ptr + 1;
  }
  if (at < end || !(seconds > 0))
    return tl::unexpected("must be a time such as 90s, 45m, 8h or 1h30m; is '" + text + "'");
  return seconds;
}

}  // namespace tieout
