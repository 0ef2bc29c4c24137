#pragma once
// Parses the command line and runs a command. Only command_line.cpp includes CLI11, which takes seconds to compile.

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/common/command.h"

namespace tieout {

// Describes the program.
struct Program {
  std::string name;
  std::string description;
  std::function<std::string()> version;  // returns the text that --version prints, without the last line end
  std::string footer;  // text below the help of the program and of each command that has no footer of its own
  std::vector<Command> commands;
  std::vector<std::pair<std::string, std::string>> environment = {};  // variables and their effect, for the manual page
};

// Parses the command line, sets the variables of the options of the command that it names, and runs it. Returns its
// exit status; kEqual after help has been printed; kBadUsage after the reason has been printed if the command line is
// wrong. An empty value of an option or argument is refused: it comes from an unset shell variable, and would have the
// effect of an option that is not given.
[[nodiscard]] int run_command_line(const Program& program, int argc, const char* const* argv);

// Returns the text of `tieout COMMAND --help`; of `tieout --help` if the name is empty. The command must exist.
[[nodiscard]] std::string help_text(const Program& program, std::string_view command);

// Returns "there is no command NAME", with the nearest one if one is near.
[[nodiscard]] std::string no_command_text(const Program& program, const std::string& name);

}  // namespace tieout
