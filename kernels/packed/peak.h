#pragma once
// Measures the most that this CPU can multiply, to state a kernel's speed as a share of it.

#include <cstdint>

#include "cases/conv_case.h"
#include "cases/machine/cpu.h"

namespace tieout {

// Runs the kernel's own widest multiply-add for such products `rounds` times, for activations of 7 bits, on as many
// independent sums as one of its tiles has, all in registers. Returns the number of multiply-adds of an activation and
// a weight.
[[nodiscard]] std::int64_t multiply_in_registers(SimdIsa isa, Arithmetic::Products products, std::int64_t rounds);

}  // namespace tieout
