#include "kernels/peak.h"

#include "kernels/loops.h"

namespace tieout {

std::int64_t multiply_in_registers(KernelIsa isa, Arithmetic::Products products, std::int64_t rounds) {
  return loops_of(isa, products).multiply_in_registers(rounds);
}

}  // namespace tieout
