#pragma once
// Lists the instruction sets that the packed kernel has loops for, and those that the CPU supports.

#include <vector>

namespace tieout {

enum class KernelIsa { portable, avx2, avx512, avx512_vnni };

// Returns the best instruction set that this CPU supports.
[[nodiscard]] KernelIsa best_kernel_isa();
// Returns all that this CPU supports, `portable` first and the best one last.
[[nodiscard]] std::vector<KernelIsa> kernel_isas();

// Returns the enumerator's name, such as "avx512_vnni".
[[nodiscard]] const char* name(KernelIsa isa);

}  // namespace tieout
