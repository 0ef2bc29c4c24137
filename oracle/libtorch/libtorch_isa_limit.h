#pragma once
// Restricts LibTorch to fewer instructions than this CPU has, to measure what its engines compute on an older CPU.

#include "oracle/libtorch/libtorch.h"

namespace tieout {

// Returns libtorch() with ONEDNN restricted to instruction sets up to `isa`. Must be called before this process runs
// its first operator, because ONEDNN reads the limit only then. FBGEMM is not affected: each case's Execution selects
// its instruction set. isa: neither native nor a 256-bit set, which ONEDNN cannot be restricted to. Errors: those of
// libtorch(); unsupported for these sets and for one that this CPU does not have.
[[nodiscard]] EngineResult<LibTorch*> libtorch_held_to(Isa isa);

}  // namespace tieout
