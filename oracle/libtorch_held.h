#pragma once
// LibTorch on less than this CPU: what its engines take on an older one, measured here.

#include "oracle/libtorch.h"

namespace tieout {

// libtorch(), and ONEDNN with no instruction set above `isa`. To be called before this process runs its first operator: ONEDNN
// asks what it may use only then, and once. FBGEMM is told by each case's Execution, and is as it was. isa: not native, nor one of
// 256 bits, which ONEDNN cannot be told. Errors: as libtorch(); unsupported where it is one of these, or this CPU has not got it.
[[nodiscard]] EngineResult<LibTorch*> libtorch_held_to(Isa isa);

}  // namespace tieout
