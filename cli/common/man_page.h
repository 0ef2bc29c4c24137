#pragma once
// Writes the manual page of a program from its description.

#include <string>

#include "cli/common/command_line.h"

namespace tieout {

// Returns the page of section 1 for man(7). version: of the program; shown in the footer of the page.
[[nodiscard]] std::string man_page(const Program& program, const std::string& version);

}  // namespace tieout
