#pragma once
// The head of a run: what is verified, against which reference, on which machine.

#include <string>

#include "kernels/subject/subject.h"
#include "props/verify/reference.h"
#include "reports/data/run_summary.h"

namespace tieout {

// Returns the machine; without instruction set and version of LibTorch if another implementation is the reference.
[[nodiscard]] Machine machine_of(const Reference& reference);

// Returns the head of every run: what is verified, against what, and on which machine. subject: nullptr if LibTorch
// itself is verified.
[[nodiscard]] RunSummary run_of(std::string command, const Reference& reference, const Subject* subject);

}  // namespace tieout
