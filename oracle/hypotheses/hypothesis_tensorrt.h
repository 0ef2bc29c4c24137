#pragma once
// Hypothesis for TensorRT's int8 convolution with quantized output: one float32 multiplier per channel, the bias in
// output steps, added by a fused multiply-add, and one rounding. TensorRT documents the quantization, round to nearest,
// ties to even, then clamp; its kernels are not public, so that the order of the steps before is an assumption. It has
// no zero points; oz is added for layers that have one.
//
//   M = fl(fl(xs * ws) / os)
//   s = fma(fl(raw), M, fl(bias / os)), without bias fl(fl(raw) * M)
//   y = clamp(RNE(s) + oz, lowest, 255)     lowest: 0, or oz with relu; nothing overflows
//
// Deciding input: xs 0.3, ws 0.01, os 0.3, bias 0.45, x 20, w 10 gives 3 here; 4 with FBGEMM, and with
// bias_after_scaling, which rounds the product and the sum.

#include "oracle/hypotheses/hypothesis.h"

namespace tieout {

[[nodiscard]] std::uint8_t tensorrt(const Window& window, Trace* trace);

}  // namespace tieout
