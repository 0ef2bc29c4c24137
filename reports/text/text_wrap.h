#pragma once
// Breaks text into lines of a limited width.

#include <cstddef>
#include <string>
#include <string_view>

namespace tieout {

inline constexpr std::size_t kTextColumns = 80;  // width of text that does not go to a terminal

// Returns the text with newlines in place of spaces, so that no line is wider than `width` unless a single word is.
// Each new line begins with `indent` spaces. Newlines in the text are kept. UTF-8 counts by code points.
[[nodiscard]] std::string wrapped(std::string_view text, std::size_t width = kTextColumns, std::size_t indent = 0);

}  // namespace tieout
