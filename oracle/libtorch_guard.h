#pragma once
// LibTorch's tensors between unmapped pages, so that an operator that writes or reads beside its buffers dies there and
// then, and not some cases later.

namespace tieout {

// From now on, or no more, until it is called again. Tensors made before stay as they were.
void guard_tensors(bool on);

}  // namespace tieout
