#include "kernels/kernel_isa.h"

namespace tieout {

std::vector<KernelIsa> kernel_isas() {
  std::vector<KernelIsa> isas{KernelIsa::portable};
  if (__builtin_cpu_supports("avx2") == 0 || __builtin_cpu_supports("fma") == 0) return isas;
  isas.push_back(KernelIsa::avx2);
  if (__builtin_cpu_supports("avx512f") == 0 || __builtin_cpu_supports("avx512bw") == 0) return isas;
  if (__builtin_cpu_supports("avx512vl") == 0 || __builtin_cpu_supports("avx512dq") == 0) return isas;
  isas.push_back(KernelIsa::avx512);
  if (__builtin_cpu_supports("avx512vnni") != 0) isas.push_back(KernelIsa::avx512_vnni);
  return isas;
}

KernelIsa best_kernel_isa() { return kernel_isas().back(); }

const char* name(KernelIsa isa) {
  switch (isa) {
    case KernelIsa::portable: return "portable";
    case KernelIsa::avx2: return "avx2";
    case KernelIsa::avx512: return "avx512";
    case KernelIsa::avx512_vnni: return "avx512_vnni";
  }
  return "";
}

}  // namespace tieout
