#pragma once
// Which registers this room's loops over whole layers use. All of them give the same numbers (a property).

#include <vector>

namespace tieout {

enum class VectorIsa { portable, avx2, avx512 };

[[nodiscard]] inline std::vector<VectorIsa> vector_isas() {  // all that this CPU can run, the best last
  std::vector<VectorIsa> isas{VectorIsa::portable};
  if (__builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0) isas.push_back(VectorIsa::avx2);
  if (__builtin_cpu_supports("avx512bw") != 0 && __builtin_cpu_supports("avx512vl") != 0 &&
      __builtin_cpu_supports("avx512dq") != 0) {
    isas.push_back(VectorIsa::avx512);
  }
  return isas;
}

[[nodiscard]] inline VectorIsa best_vector_isa() { return vector_isas().back(); }

}  // namespace tieout
