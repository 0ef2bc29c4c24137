#pragma once
// Allocates LibTorch's tensors between unmapped pages, so that an operator that leaves its buffers ends the process at
// once and not some cases later. The data end within 64 bytes of the following page. Writes into the remaining bytes
// and into those before the data are detected when the tensor is released. Reads of these bytes are not detected.

namespace tieout {

// Turns the guard on or off for tensors that are allocated from now on. Existing tensors are not affected.
void guard_tensors(bool on);

}  // namespace tieout
