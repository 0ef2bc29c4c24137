#pragma once
// Text in lines of a bounded width.

#include <cstddef>
#include <string>
#include <string_view>

namespace tieout {

inline constexpr std::size_t kTextColumns = 80;  // of a text that does not go to a terminal

// The text with ends of lines in place of spaces, so that no line is wider than `width`; a single word may be. Each
// line after the first begins with `indent` spaces. Ends of lines in the text stay. UTF-8 counts by code points.
[[nodiscard]] std::string wrapped(std::string_view text, std::size_t width = kTextColumns, std::size_t indent = 0);

}  // namespace tieout
