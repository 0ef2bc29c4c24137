#include "reports/text/markdown_text.h"

#include <algorithm>
#include <cctype>

#include "reports/text/escape.h"

namespace tieout {
namespace {

std::size_t longest_run(std::string_view text, char c) {
  std::size_t longest = 0;
  std::size_t run = 0;
  for (const char each : text) {
    run = each == c ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  return longest;
}

std::string one_line(std::string_view text) {
  std::string line = legal_text(text);
  std::ranges::replace_if(line, [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
  return line;
}

}  // namespace

std::string inline_text(std::string_view text) {
  constexpr std::string_view kMarkup = "\\`*_{}[]()<>#+!|~&@$";
  const std::string line = one_line(text);
  std::string result;
  const auto in_word = [&](std::size_t i) {
    return i < line.size() && std::isalnum(static_cast<unsigned char>(line[i])) != 0;
  };
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    const bool within_name = c == '_' && i > 0 && in_word(i - 1) && in_word(i + 1);  // avx512_vnni needs no backslash
    const bool plain = kMarkup.find(c) == std::string_view::npos || within_name;
    if (!plain) result += '\\';
    result += c;
  }
  return result;
}

std::string code_span(std::string_view text) {
  std::string line = one_line(text);
  const std::string ticks(longest_run(line, '`') + 1, '`');
  for (std::size_t at = line.find('|'); at != std::string::npos; at = line.find('|', at + 2)) line.insert(at, 1, '\\');
  const bool space = line.empty() || line.front() == '`' || line.back() == '`';
  return ticks + (space ? " " : "") + line + (space ? " " : "") + ticks;
}

std::string fenced(std::string_view text, std::string_view language) {
  const std::string legal = legal_text(text);
  const std::string fence(std::max<std::size_t>(3, longest_run(legal, '`') + 1), '`');
  return fence + std::string(language) + "\n" + legal + (legal.ends_with('\n') ? "" : "\n") + fence + "\n";
}

}  // namespace tieout
