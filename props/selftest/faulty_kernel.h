#pragma once
// Declares the functions by which the source files of the faulty kernel call each other.

#include <array>

#include "props/selftest/fault.h"

namespace tieout {

// Writes the output (faulty_kernel.cpp).
void compute(Fault fault, const tieout_conv& c);

// Calls compute() and adds faults that lie beside the arithmetic, such as those of memory and threads
// (fault_conduct.cpp).
[[nodiscard]] const char* run_faulty(Fault fault, const tieout_conv& c);

}  // namespace tieout
