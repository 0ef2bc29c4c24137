#pragma once
// How the files of the faulty kernel call each other.

#include <array>

#include "props/faults/fault.h"

namespace tieout {

// faulty_kernel.cpp: writes the output.
void compute(Fault fault, const tieout_conv& c);

// fault_conduct.cpp: the same, and what a kernel does wrong beside its arithmetic.
[[nodiscard]] const char* run_faulty(Fault fault, const tieout_conv& c);

}  // namespace tieout
