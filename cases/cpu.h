#pragma once
// What this CPU can run, where more than one room asks. The same words for all: what is compiled for "AVX-512" uses all
// four of its parts.

#include <cpuid.h>

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

// True if the CPU multiplies int8 matrices in tiles (AMX-TILE, AMX-INT8). g++ 12 has no __builtin_cpu_supports for it.
[[nodiscard]] inline bool has_amx_int8() {
  constexpr unsigned kTile = 1U << 24;
  constexpr unsigned kInt8 = 1U << 25;
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return has_avx512() && __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0 && (edx & kTile) != 0 &&
         (edx & kInt8) != 0;
}

}  // namespace tieout
