#pragma once
// The head of a run: what is verified, against which reference, on which machine.

#include <string>

#include "kernels/subject/subject.h"
#include "oracle/libtorch/libtorch.h"
#include "reports/data/run_summary.h"

namespace tieout {

[[nodiscard]] Machine machine_of(const LibTorch& reference);

// Returns the head of every run: what is verified, against what, and on which machine. subject: nullptr if LibTorch
// itself is verified.
[[nodiscard]] RunSummary run_of(std::string command, const LibTorch& reference, const Subject* subject);

}  // namespace tieout
