#pragma once
// Provides the instruction sets for which the loops over whole layers are implemented. A property test checks that all
// of them give the same numbers.

#include <vector>

#include "cases/machine/cpu.h"

namespace tieout {

enum class VectorIsa { portable, avx2, avx512, avx512_vnni };

// Returns the instruction sets that this CPU can run, the best one last.
[[nodiscard]] inline std::vector<VectorIsa> vector_isas() {
  std::vector<VectorIsa> isas{VectorIsa::portable};
  if (has_avx2()) isas.push_back(VectorIsa::avx2);
  if (has_avx512()) isas.push_back(VectorIsa::avx512);
  if (has_avx512_vnni()) isas.push_back(VectorIsa::avx512_vnni);
  return isas;
}

[[nodiscard]] inline VectorIsa best_vector_isa() { return vector_isas().back(); }

}  // namespace tieout
