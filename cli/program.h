#pragma once
// Describes the program `tieout` with all its commands.

#include "cli/common/command_line.h"

namespace tieout {

[[nodiscard]] Program tieout_program();

}  // namespace tieout
