#pragma once
// Splits a text into lines, and joins lines to a text.

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace tieout {

// Returns the lines without their newlines. The last line may lack its newline; an empty text has no lines.
[[nodiscard]] inline std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    lines.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

// Returns the lines as one text, each with a newline at its end.
[[nodiscard]] inline std::string join_lines(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + '\n';
  return text;
}

}  // namespace tieout
