#pragma once
// Detects instruction sets of this CPU for code in several folders, so that all use the same definitions: has_avx512()
// requires all four subsets that code compiled for "AVX-512" uses.

namespace tieout {

[[nodiscard]] inline bool has_avx2() {
  return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
}

[[nodiscard]] inline bool has_avx512() {
  return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
         __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0;
}

[[nodiscard]] inline bool has_avx512_vnni() { return has_avx512() && __builtin_cpu_supports("avx512vnni") != 0; }

[[nodiscard]] inline bool has_avx_vnni() { return __builtin_cpu_supports("avxvnni") != 0; }

// True if the CPU multiplies int8 matrices in tiles (AMX).
[[nodiscard]] inline bool has_amx_int8() {
  return has_avx512() && __builtin_cpu_supports("amx-tile") != 0 && __builtin_cpu_supports("amx-int8") != 0;
}

}  // namespace tieout
