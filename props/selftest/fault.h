#pragma once
// Provides a library of faulty kernels to test the tester with. Each differs from a correct textbook kernel in one
// expression, and runs through the C interface as a user's kernel does.

#include <memory>
#include <span>
#include <string_view>

#include "kernels/subject/subject.h"

namespace tieout {

enum class Fault {
  none,
#define X(name, wrong) name,
#include "props/selftest/fault_list.def"
#undef X
};

struct FaultyKernel {
  Fault fault;
  std::string_view name;  // For example "round_half_away".
  // Describes the mistake in a line; empty if the name describes it.
  std::string_view wrong;
  KernelFunction kernel;
  // The text that a diagnosis must contain, if the fault is one of state or of conduct; empty: the fault only changes
  // values.
  std::string_view named;
};

// Returns all faulty kernels, without the correct one.
[[nodiscard]] std::span<const FaultyKernel> faulty_kernels();

// Runs the kernel without a fault.
[[nodiscard]] const char* correct_kernel(const tieout_conv* conv);

}  // namespace tieout
