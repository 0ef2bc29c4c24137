#pragma once
// The most that this CPU can multiply: what a kernel's speed is a share of.

#include <cstdint>

#include "cases/conv_case.h"
#include "kernels/kernel_isa.h"

namespace tieout {

// Does `rounds` times the kernel's own widest multiply-add for such products, of activations of 7 bits, on as many independent
// sums as one of its tiles has, all in registers. Returns how many multiply-adds of activation and weight that was.
[[nodiscard]] std::int64_t multiply_in_registers(KernelIsa isa, Arithmetic::Products products, std::int64_t rounds);

}  // namespace tieout
