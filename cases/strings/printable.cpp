#include "cases/strings/printable.h"

#include <algorithm>

#include "cases/strings/utf8.h"

namespace tieout {
namespace {

// True for characters that reorder or break the line that contains them: line and paragraph separators, and the
// controls of bidirectional text.
bool moves_text(std::string_view character) {
  if (character == "\xd8\x9c") return true;  // U+061C
  if (character.size() != 3 || character[0] != '\xe2') return false;
  const auto last = static_cast<unsigned char>(character[2]);
  if (character[1] == '\x80')
    return last == 0x8E || last == 0x8F || (0xA8 <= last && last <= 0xAE);  // U+200E.., 2028..202E
  return character[1] == '\x81' && 0xA6 <= last && last <= 0xA9;            // U+2066..2069
}

// Returns the length in bytes of the character at the front of `text`, or 0 if it cannot be printed as it is.
std::size_t shown_length(std::string_view text) {
  if (text.front() == '\t' || text.front() == '\n' || text.front() == '\r') return 0;
  const std::size_t length = character_length(text);
  return moves_text(text.substr(0, length)) ? 0 : length;
}

// GitHub reads a line as a command if it begins with "::", also after blanks.
bool begins_command(std::string_view text, const std::string& before) {
  return text.starts_with("::") && before.find_first_not_of(" \t") == std::string::npos;
}

}  // namespace

std::string printable(std::string_view text, std::size_t most) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string shown;
  const std::size_t size = text.size();
  while (!text.empty() && size - text.size() < most) {
    // GitHub reads a line as a command if it contains "##[" anywhere.
    if (text.starts_with("##[")) {
      shown += "#\\x23[";
      text.remove_prefix(3);
      continue;
    }
    const std::size_t length = shown_length(text);
    if (begins_command(text, shown)) shown += '\\';
    if (length > 0) {
      shown += text.substr(0, length);
    } else {
      const auto byte = static_cast<unsigned char>(text.front());
      shown.append("\\x") += {kDigits[byte >> 4U], kDigits[byte & 15U]};
    }
    text.remove_prefix(length > 0 ? length : 1);
  }
  return text.empty() ? shown : shown + "...";
}

std::string printable_lines(std::string_view text) {
  std::string shown;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    std::string shown_line;
    while (true) {
      const std::size_t tab = std::min(line.find('\t'), line.size());
      const std::string part = printable(line.substr(0, tab));
      shown_line += begins_command(part, shown_line) && !shown_line.empty() ? '\\' + part : part;
      if (tab == line.size()) break;
      shown_line += '\t';
      line.remove_prefix(tab + 1);
    }
    shown += shown_line;
    if (end < text.size()) shown += '\n';
    text.remove_prefix(std::min(text.size(), end + 1));
  }
  return shown;
}

}  // namespace tieout
