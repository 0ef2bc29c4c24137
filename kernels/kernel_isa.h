#pragma once
// The instruction sets that the packed kernel has loops for.

#include <vector>

namespace tieout {

enum class KernelIsa { portable, avx2, avx512, avx512_vnni };

// The best one, and all that this CPU can run, portable first.
[[nodiscard]] KernelIsa best_kernel_isa();
[[nodiscard]] std::vector<KernelIsa> kernel_isas();

[[nodiscard]] const char* name(KernelIsa isa);

}  // namespace tieout
