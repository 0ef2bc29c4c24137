#pragma once
// Provides the instruction sets that code is written for, and detects which of them this CPU supports.

#include <vector>

namespace tieout {

// The instruction sets that our own code is written for. Each contains the ones before it. What a case restricts
// LibTorch to is Isa (cases/conv_case.h).
enum class SimdIsa { portable, avx2, avx512, avx512_vnni };

// Attributes of functions that are compiled for an instruction set: [[TIEOUT_AVX2]] void f(). They are here because
// each list must be what simd_isas() in cpu.cpp requires of the CPU. The options in kernels/CMakeLists.txt are the same
// sets.
#define TIEOUT_AVX2 gnu::target("avx2,fma")
#define TIEOUT_AVX512 gnu::target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")
#define TIEOUT_AVX512_VNNI gnu::target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")

// Returns the best instruction set that this CPU supports.
[[nodiscard]] SimdIsa best_simd_isa();
// Returns all that this CPU supports, `portable` first and the best one last.
[[nodiscard]] std::vector<SimdIsa> simd_isas();

// Returns the enumerator's name, such as "avx512_vnni".
[[nodiscard]] const char* name(SimdIsa isa);

// True if the CPU has VNNI instructions for AVX registers, without AVX-512.
[[nodiscard]] bool has_avx_vnni();

// True if the CPU multiplies int8 matrices in tiles (AMX).
[[nodiscard]] bool has_amx_int8();

}  // namespace tieout
