#include "cases/machine/cpu.h"

namespace tieout {
namespace {

bool has_avx2() { return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0; }

bool has_avx512() {
  return has_avx2() && __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
         __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0;
}

bool has_avx512_vnni() { return has_avx512() && __builtin_cpu_supports("avx512vnni") != 0; }

}  // namespace

SimdIsa best_simd_isa() {
  if (has_avx512_vnni()) return SimdIsa::avx512_vnni;
  if (has_avx512()) return SimdIsa::avx512;
  if (has_avx2()) return SimdIsa::avx2;
  return SimdIsa::portable;
}

std::vector<SimdIsa> simd_isas() {
  const SimdIsa best = best_simd_isa();
  std::vector<SimdIsa> isas;
  for (const SimdIsa isa : {SimdIsa::portable, SimdIsa::avx2, SimdIsa::avx512, SimdIsa::avx512_vnni}) {
    if (isa <= best) isas.push_back(isa);
  }
  return isas;
}

const char* name(SimdIsa isa) {
  switch (isa) {
    case SimdIsa::portable: return "portable";
    case SimdIsa::avx2: return "avx2";
    case SimdIsa::avx512: return "avx512";
    case SimdIsa::avx512_vnni: return "avx512_vnni";
  }
  return "";
}

bool has_avx_vnni() { return __builtin_cpu_supports("avxvnni") != 0; }

bool has_amx_int8() {
  return has_avx512() && __builtin_cpu_supports("amx-tile") != 0 && __builtin_cpu_supports("amx-int8") != 0;
}

}  // namespace tieout
