#pragma once
// Escapes text from untrusted sources before it is printed: messages of a subject, its standard error, contents of a
// record or a baseline.

#include <cstddef>
#include <string>
#include <string_view>

namespace tieout {

// Returns the text as part of one line that cannot move a terminal's cursor, reverse the writing direction or start a
// workflow command of GitHub. Bytes that are not printable characters are written as \xNN; a "::" at the front gets a
// backslash, and "##[" becomes "#\x23[". Of a text longer than `most` bytes, the first ones are kept and "..." follows.
[[nodiscard]] std::string printable(std::string_view text, std::size_t most = std::string_view::npos);

// Does the same for a text of several lines, and keeps newlines and tabs.
[[nodiscard]] std::string printable_lines(std::string_view text);

}  // namespace tieout
