#pragma once
// Text from elsewhere inside Markdown: it stays text, whatever it holds. All of these also replace what is no text
// (escape.h).

#include <string>
#include <string_view>

namespace tieout {

// As it reads in running text and in cells of tables: markup is escaped, lines are joined.
[[nodiscard]] std::string inline_text(std::string_view text);

// In backticks, more of them than the text has in a row. Lines are joined. Fit for tables, too.
[[nodiscard]] std::string code_span(std::string_view text);

// A block between fences longer than any that the text has, ending in a newline.
[[nodiscard]] std::string fenced(std::string_view text);

}  // namespace tieout
