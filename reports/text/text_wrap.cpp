#include "reports/text/text_wrap.h"

#include <algorithm>

namespace tieout {
namespace {

std::size_t columns(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

}  // namespace

std::string wrapped(std::string_view text, std::size_t width, std::size_t indent) {
  std::string lines;
  std::size_t column = 0;
  bool is_first = true;  // true for the first word of a line
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(" \n", 1), text.size());
    std::string_view word = text.substr(0, end);  // including the space or newline before it
    text.remove_prefix(end);
    const bool breaks = word.front() == '\n' || (word.front() == ' ' && !is_first && column + columns(word) > width);
    if (breaks) {
      word.remove_prefix(1);
      lines += '\n' + std::string(indent, ' ');
      column = indent;
    }
    lines += word;
    column += columns(word);
    is_first = word.empty();
  }
  return lines;
}

}  // namespace tieout
