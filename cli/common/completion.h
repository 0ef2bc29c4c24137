#pragma once
// Writes the scripts by which shells complete the commands, options and values of a program, from its description.

#include <string>

#include "cli/common/command_line.h"

namespace tieout {

[[nodiscard]] std::string bash_completion(const Program& program);
[[nodiscard]] std::string zsh_completion(const Program& program);
[[nodiscard]] std::string fish_completion(const Program& program);

}  // namespace tieout
