#pragma once
// Writes a model of a kernel as C source against tieout_kernel.h, and the difference from the contract's kernel.

#include <string>

#include "props/diagnose/kernel_model.h"

namespace tieout {

// Returns a complete kernel in C that computes what the model computes. note: lines for the comment at its begin.
[[nodiscard]] std::string emit_kernel(const KernelModel& model, const std::string& note = {});

// Returns the lines in which the model's kernel differs from the contract's, as a unified diff without a header: lines
// that begin with "- " and "+ ". context: number of equal lines around each difference.
[[nodiscard]] std::string kernel_diff(const KernelModel& model, int context = 0);

}  // namespace tieout
