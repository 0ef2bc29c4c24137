#pragma once
// Many cases from a file, one a line.

#include <string>

#include "oracle/libtorch.h"
#include "props/verify.h"

namespace tieout {

// Lines: CASE or "equal CASE"; empty ones and those that begin with # say nothing. With a subject, cases for another engine
// than FBGEMM are left out, and how the reference is to run does not matter. Returns the exit status, after printing every
// finding and the counts.
[[nodiscard]] int check_file(const std::string& file, LibTorch& reference, Subject* subject, const Rules& rules);

}  // namespace tieout
