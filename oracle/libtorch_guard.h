#pragma once
// LibTorch's tensors between unmapped pages, so that an operator that leaves its buffers dies there and then, and not some
// cases later. The data end within 64 bytes of the page behind them; writes into what remains, and before the data, are
// seen when the tensor is released. Not seen: reads of that remainder, and of the rest of the first page.

namespace tieout {

// From now on, or no more, until it is called again. Tensors made before stay as they were.
void guard_tensors(bool on);

}  // namespace tieout
