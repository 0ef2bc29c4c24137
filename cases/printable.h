#pragma once
// Text that comes from elsewhere, made fit to be printed: what a subject says, what its standard error holds, what a record or
// a baseline has in it.

#include <cstddef>
#include <string>
#include <string_view>

namespace tieout {

// Returns the text as a part of one line that can move no terminal's cursor, reverse no writing direction and begin no
// workflow command of GitHub. Bytes that are no printable character are written as \xNN; "::" at the front and "##[" get a
// backslash. Of a text longer than `most` bytes, the first ones are kept and "..." follows.
[[nodiscard]] std::string printable(std::string_view text, std::size_t most = std::string_view::npos);

// Likewise of several lines: newlines and tabs stay.
[[nodiscard]] std::string printable_lines(std::string_view text);

}  // namespace tieout
