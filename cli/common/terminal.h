#pragma once
// Prints text on standard output, and determines the width of the terminal.

#include <cstddef>
#include <string>

namespace tieout {

// Prints on standard output, escaped so that the text cannot move the cursor or start a workflow command of GitHub. A
// write error is recorded by the stream and reported by main() at the end; an exception, as fmt::print throws, would
// prevent reports from being written.
void print_text(const std::string& text);

// Returns the number of columns of the terminal that standard output is connected to, at least 40; kTextColumns (80) if
// it is not a terminal.
[[nodiscard]] std::size_t output_columns();

}  // namespace tieout
