#pragma once
// Text of a subject, made fit to be shown: a kernel's name or domain, the end of a program's standard error.

#include <cstddef>
#include <string>
#include <string_view>

namespace tieout {

// Returns the text with every byte that is not printable ASCII written as \xNN, so that it cannot move a terminal's cursor or
// begin a line. Of a text longer than `most` bytes, the first ones are kept and "..." follows.
[[nodiscard]] std::string printable(std::string_view text, std::size_t most);

}  // namespace tieout
