#pragma once
// A library of faulty kernels: who tests the tester? Each is one expression away from a correct textbook kernel, and runs
// through the C interface as a user's kernel does.

#include <memory>
#include <span>
#include <string_view>

#include "kernels/subject.h"

namespace tieout {

enum class Fault {
  none,
#define X(name, wrong) name,
#include "props/faults/fault_list.def"
#undef X
};

struct FaultyKernel {
  Fault fault;
  std::string_view name;   // "round_half_away"
  std::string_view wrong;  // what people get wrong, in a line; empty where the name says it
  KernelFunction kernel;
};

// All of them, without the correct one.
[[nodiscard]] std::span<const FaultyKernel> faulty_kernels();

// The kernel without a fault.
[[nodiscard]] const char* correct_kernel(const tieout_conv* conv);

}  // namespace tieout
