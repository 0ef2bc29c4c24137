#include "kernels/packed/peak.h"

#include "kernels/packed/loops.h"

namespace tieout {

std::int64_t multiply_in_registers(SimdIsa isa, Arithmetic::Products products, std::int64_t rounds) {
  Loops loops = loops_of(isa, products);
  if (loops.seven_bit_loops != nullptr) loops = loops.seven_bit_loops();
  return loops.multiply_in_registers(rounds);
}

}  // namespace tieout
