#include "kernels/packed/kernel_isa.h"

#include "cases/machine/cpu.h"

namespace tieout {

std::vector<KernelIsa> kernel_isas() {
  std::vector<KernelIsa> isas{KernelIsa::portable};
  if (!has_avx2()) return isas;
  isas.push_back(KernelIsa::avx2);
  if (!has_avx512()) return isas;
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
