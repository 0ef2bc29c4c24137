#pragma once
// Shows on a terminal which stage of a computation runs.

#include <cstdint>
#include <string>

namespace tieout {

// Draws the line on standard error if that is a terminal.
void show_stage(const std::string& stage, std::int64_t done, std::int64_t of);

// Clears the line, so that later output starts in an empty one.
void clear_stage();

}  // namespace tieout
