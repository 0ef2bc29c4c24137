#pragma once
// Prints text on standard output, verdicts in colour, and determines the width of the terminal.

#include <cstddef>
#include <cstdint>
#include <string>

namespace tieout {

// Prints on standard output, escaped so that the text cannot move the cursor or start a workflow command of GitHub. A
// write error is recorded by the stream and reported by main() at the end; an exception, as fmt::print throws, would
// prevent reports from being written.
void print_text(const std::string& text);

enum class Color : std::uint8_t { green, red, yellow };

// Returns the colour of a verdict: green for verified and equal, red for differences, yellow for not verified.
// status: the exit status of the verdict.
[[nodiscard]] Color color_of(int status);

// Prints as print_text() does, and in the colour if standard output is a terminal that shows colours, unless the
// environment variable NO_COLOR is set to anything but an empty text (https://no-color.org), or TERM is "dumb".
void print_colored(Color color, const std::string& text);

// Returns the number of columns of the terminal that standard output is connected to, at least 40; kTextColumns (80) if
// it is not a terminal.
[[nodiscard]] std::size_t output_columns();

}  // namespace tieout
