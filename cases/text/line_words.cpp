#include "cases/text/line_words.h"

#include <algorithm>
#include <utility>

namespace tieout {

tl::unexpected<CaseError> bad(std::string_view field, std::string message) {
  return tl::unexpected(CaseError{std::string(field), std::move(message)});
}

ReadResult read_times(std::string_view field, std::string_view text, std::int64_t most, const std::string& allowed,
                      std::int64_t& times) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), times);
  if (error == std::errc{} && end == text.data() + text.size() && times >= 1 && times <= most) return {};
  return bad(field, "N*V stands for N times V and needs N in 1.." + allowed + ", is '" + excerpt(text) + "'");
}

std::string_view cut(std::string_view& text, char separator) {
  const std::size_t end = text.find(separator);
  const std::string_view head = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  return head;
}

std::string_view cut_word(std::string_view& line) {
  const std::size_t end = std::min(line.find_first_of(kBlanks), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return word;
}

namespace {

std::string without_blanks_in_lists(std::string_view line) {
  std::string text;
  text.reserve(line.size());
  bool in_list = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (in_list && kBlanks.find(c) != std::string_view::npos) {
      const std::size_t next = std::min(line.find_first_not_of(kBlanks, i), line.size());
      const bool beside =
          text.back() == '[' || text.back() == ',' || next == line.size() || line[next] == ',' || line[next] == ']';
      if (!beside) text += ' ';
      i = next - 1;
      continue;
    }
    if (c == '[') in_list = true;
    if (c == ']') in_list = false;
    text += c;
  }
  return text;
}

}  // namespace

std::string plain_line(std::string_view line) {
  const std::size_t begin = std::min(line.find_first_not_of(kBlanks), line.size());
  const std::size_t end = line.find_last_not_of(" \t\n\r");
  if (begin == line.size() || end == std::string_view::npos) return {};
  return without_blanks_in_lists(line.substr(begin, end + 1 - begin));
}

}  // namespace tieout
