#pragma once
// What standard output is shown on.

#include <cstddef>
#include <string>

namespace tieout {

// Prints on standard output, so that nothing in the text can move the cursor or begin a workflow command of GitHub.
// What cannot be written is noted by the stream, and main() says so at the end: unlike an exception of fmt::print, that
// does not keep reports from being written.
void print_text(const std::string& text);

// Columns of the terminal that standard output is, at least 40; 80 where it is none.
[[nodiscard]] std::size_t output_columns();

}  // namespace tieout
