#pragma once
// The most that this CPU can multiply: what a kernel's speed is a share of.

#include <cstdint>

#include "kernels/kernel_isa.h"

namespace tieout {

// Does `rounds` times the exact kernel's own widest multiply-add on as many independent sums as hide how long one takes, all
// in registers. Returns how many multiply-adds of activation and weight that was.
[[nodiscard]] std::int64_t multiply_in_registers(KernelIsa isa, std::int64_t rounds);

}  // namespace tieout
