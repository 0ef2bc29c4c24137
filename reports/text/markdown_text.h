#pragma once
// Makes untrusted text safe for Markdown, so that it is shown as text. All functions also replace bytes that are no
// legal text (escape.h).

#include <string>
#include <string_view>

namespace tieout {

// Returns the text for running text and cells of tables: markup is escaped, lines are joined.
[[nodiscard]] std::string inline_text(std::string_view text);

// Returns the text between more backticks than it has in a row, with lines joined. It may be used in tables, too.
[[nodiscard]] std::string code_span(std::string_view text);

// Returns a block between fences longer than any in the text, with a newline at its end. language: of the text, such as
// "diff"; empty: none.
[[nodiscard]] std::string fenced(std::string_view text, std::string_view language = {});

}  // namespace tieout
