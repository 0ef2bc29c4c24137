#include "kernels/peak.h"

#include "kernels/loops.h"

namespace tieout {

std::int64_t multiply_in_registers(KernelIsa isa, std::int64_t rounds) {
  return loops_of(isa, Arithmetic::Products::exact).multiply_in_registers(rounds);
}

}  // namespace tieout
