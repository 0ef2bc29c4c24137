#pragma once
// Reads the words of a case line: numbers, lists, and the words themselves. The readers of all cases use it.

#include <charconv>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <system_error>
#include <tl/expected.hpp>
#include <type_traits>
#include <vector>

#include "cases/strings/case_advice.h"
#include "cases/validate.h"

namespace tieout {

using ReadResult = tl::expected<void, CaseError>;

// The limit that validate() sets for extents and channels. Longer lists of scales, zero points and biases would only
// take memory.
inline constexpr std::int64_t kMostChannels = std::int64_t{1} << 24;

inline constexpr std::string_view kBlanks = " \t";

// Returns an error about the word `field`.
[[nodiscard]] tl::unexpected<CaseError> bad(std::string_view field, std::string message);

// Removes the text up to the separator from `text`, with the separator, and returns it.
std::string_view cut(std::string_view& text, char separator);
// Removes the first word from the line, with the blank behind it, and returns it.
std::string_view cut_word(std::string_view& line);

// Returns the line without blanks at its ends, and beside the commas and the brackets of its lists, where they have no
// meaning. Other blanks in a list, as in [1 2], remain and are an error.
[[nodiscard]] std::string plain_line(std::string_view line);

template <typename T>
ReadResult read_number(std::string_view field, std::string_view text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc{} && end == text.data() + text.size()) return {};
  std::string wanted = std::is_integral_v<T> ? "a whole number" : "a number";
  if (std::is_integral_v<T>) wanted.append(" ").append(whole_numbers_of(field));
  if (!std::is_integral_v<T> && error == std::errc::result_out_of_range) wanted += " that float32 can hold";
  return bad(field, "must be " + wanted + ", is '" + excerpt(text) + "'");
}

// Reads the N of N*V. most: the largest N. allowed: `most` as the message shows it.
ReadResult read_times(std::string_view field, std::string_view text, std::int64_t most, const std::string& allowed,
                      std::int64_t& times);

// Reads one item of a list. Bytes are read as int, so that 256 is reported as out of range and does not wrap to 0.
// shift: added to a byte as it is written.
template <typename T>
ReadResult read_item(std::string_view field, std::string_view text, int shift, T& value) {
  if constexpr (sizeof(T) == 1) {
    const int low = std::numeric_limits<T>::min() - shift;
    const int high = std::numeric_limits<T>::max() - shift;
    int wide = 0;
    if (ReadResult r = read_number(field, text, wide); !r) return r;
    if (wide < low || wide > high) {
      return bad(field, "values must be " + std::to_string(low) + ".." + std::to_string(high) + ", one is " +
                            std::to_string(wide) + advice_on_int8(field, wide));
    }
    value = static_cast<T>(wide + shift);
    return {};
  } else {
    return read_number(field, text, value);
  }
}

// Reads a list in brackets, in which N*V stands for N times V. shift: added to bytes as they are written.
template <typename T>
ReadResult read_list(std::string_view field, std::string_view text, std::vector<T>& values, int shift = 0) {
  const std::int64_t most = sizeof(T) == 1 ? kMaxElements : kMostChannels;
  const std::string allowed = sizeof(T) == 1 ? "2^28" : "2^24";
  if (text.size() < 2 || text.front() != '[' || text.back() != ']') {
    return bad(field, "must be a list in brackets such as [1,2,3*0], is '" + excerpt(text) + "'");
  }
  values.clear();
  for (std::string_view rest = text.substr(1, text.size() - 2); !rest.empty();) {
    if (rest.back() == ',') return bad(field, "ends with a comma; leave the last comma out");
    std::string_view item = cut(rest, ',');
    if (item.empty())
      return bad(field, "has no value before one of its commas; write one there, or leave the comma out");
    std::int64_t run = 1;
    if (item.find('*') != std::string_view::npos) {
      const std::string_view times = cut(item, '*');
      if (ReadResult r = read_times(field, times, most, allowed, run); !r) return r;
      if (item.empty()) {
        return bad(field, "has no value behind " + std::string(times) + "*; write for example " + std::string(times) +
                              "*1 for " + std::string(times) + " times 1");
      }
    }
    T value{};
    if (ReadResult r = read_item(field, item, shift, value); !r) return r;
    if (std::ssize(values) + run > most) return bad(field, "lists more than " + allowed + " values");
    values.insert(values.end(), static_cast<std::size_t>(run), value);
  }
  return {};
}

}  // namespace tieout
