#pragma once
// Parses the command line for all commands: layout of the help, checks of option values, and error messages.

#include <CLI/CLI.hpp>
#include <cstdint>
#include <memory>
#include <string>

namespace tieout {

// Returns a formatter that wraps help at 100 columns; only a single word can be wider.
[[nodiscard]] std::shared_ptr<CLI::FormatterBase> help_formatter();

// Return checks of an option's value, with bounds included. Their message states what the value must be.
[[nodiscard]] CLI::Validator whole_number(std::int64_t low, std::int64_t high);
[[nodiscard]] CLI::Validator number(double low, double high);
[[nodiscard]] CLI::Validator positive_number();        // a finite number
[[nodiscard]] CLI::Validator positive_whole_number();  // a number that int64 can hold

// Makes every option and argument of every command refuse an empty value, which comes from an unset shell variable and
// would have the effect of an option that is not given. Must be called after all commands have been added.
void refuse_empty_values(CLI::App& app);

// Parses the command line and runs the command. If the command line is wrong, prints the reason and returns kBadUsage;
// otherwise returns kEqual, and the command has set its own exit status.
[[nodiscard]] int parse_command_line(CLI::App& app, int argc, const char* const* argv);

}  // namespace tieout
