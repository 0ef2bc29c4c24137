#pragma once
// Hypothesis for XNNPACK's int8 convolutions. TensorFlow Lite passes convolutions to XNNPACK by default, so that this,
// and not its fixed-point code, is what it answers; ExecuTorch does so as well.
//
//   M    = fl(fl(xs * ws) / os)
//   s    = fl(fl(raw + bias) * M), the bias an int32 as TensorFlow Lite's converter stores it
//   y    = max(RNE(min(s, 255 - oz)) + oz, lowest)     lowest: 0, or oz with relu
//
// The upper limit is applied to the float, so that no value is too large for int32. A value below int32 is INT32_MIN
// and becomes the lowest here and in kernels that add oz with saturation; kernels for AVX-512 that multiply matrices
// add a negative oz to it, which wraps to the highest.
//
// XNNPACK rounds by lrintf() or by adding 1.5 * 2^23 to the float. Both round to the nearest integer, ties to even, up
// to a magnitude of 2^22, and larger values are limited, so that both give the same result.
//
// On ARM, XNNPACK has other steps for uint8 activations (xnnpack_rndnu in hypothesis_fixed_point.h).
//
// Deciding input: bias 2.5 with scales 1, os 0.5, x 0 gives 6 here and 4 with onnxruntime, whose bias is rounded to
// even.

#include "oracle/hypotheses/hypothesis.h"

namespace tieout {

[[nodiscard]] std::uint8_t xnnpack(const Window& window, Trace* trace);

}  // namespace tieout
