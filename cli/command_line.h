#pragma once
// What all commands have in common on the command line: the layout of help, checks of values, and messages.

#include <CLI/CLI.hpp>
#include <cstdint>
#include <memory>
#include <string>

namespace tieout {

// Help in lines of at most 100 columns, where a single word is not wider.
[[nodiscard]] std::shared_ptr<CLI::FormatterBase> help_formatter();

// Checks of an option's value. The message says what the value must be.
[[nodiscard]] CLI::Validator whole_number(std::int64_t low, std::int64_t high);
[[nodiscard]] CLI::Validator number(double low, double high);
[[nodiscard]] CLI::Validator positive_number();        // finite
[[nodiscard]] CLI::Validator positive_whole_number();  // that an int64 holds

// Has every option and argument of every command refuse an empty value: it comes from a variable that is not set, and
// would pass for an option that is not given. Call it when all commands have been added.
void refuse_empty_values(CLI::App& app);

// Parses and runs. Returns the exit status of a command line that is wrong, after saying why, and 0 otherwise.
[[nodiscard]] int parse_command_line(CLI::App& app, int argc, const char* const* argv);

}  // namespace tieout
