#include "reports/text/number_text.h"

#include <fmt/chrono.h>
#include <fmt/core.h>

#include <cmath>
#include <ctime>

namespace tieout {

std::string grouped(std::int64_t value) {
  std::string digits = std::to_string(value);
  for (std::ptrdiff_t at = std::ssize(digits) - 3; at > (value < 0 ? 1 : 0); at -= 3) {
    digits.insert(static_cast<std::size_t>(at), 1, ',');
  }
  return digits;
}

std::string short_number(std::int64_t value) {
  constexpr std::string_view kUnits = " kMGTPE";
  std::int64_t unit = 1;
  std::size_t i = 0;
  for (; value / unit >= 1000; ++i) unit *= 1000;
  const std::int64_t whole = value / unit;
  std::string text = std::to_string(whole);
  if (i > 0 && whole < 10) text += fmt::format(".{}", value / (unit / 10) % 10);
  if (i > 0) text += kUnits[i];
  return text;
}

// {fmt} writes the sign of a NaN, which has no meaning.
std::string float_text(float value) { return std::isnan(value) ? "nan" : fmt::format("{}", value); }

std::string counted(std::int64_t value, std::string_view singular) {
  return fmt::format("{} {}{}", grouped(value), singular, value == 1 ? "" : "s");
}

std::string utc_text(std::int64_t seconds) {
  if (seconds == 0) return "";
  return fmt::format("{:%Y-%m-%d %H:%M} UTC", fmt::gmtime(static_cast<std::time_t>(seconds)));
}

std::string iso_text(std::int64_t seconds) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}", fmt::gmtime(static_cast<std::time_t>(seconds)));
}

}  // namespace tieout
