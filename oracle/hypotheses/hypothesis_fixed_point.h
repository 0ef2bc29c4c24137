#pragma once
// Hypotheses that requantization uses integers only. The multiplier is m * 2^shift, where the int32 m represents m /
// 2^31 in 0.5 .. 1; m is the fraction from std::frexp, rounded with ties away from zero. The bias is an int32.
//
//   hypothesis                multiplier from        scaled
//   tflite                    xs * ws / os           high = (raw * 2^max(shift, 0) * m + 2^30) >> 31, then /
//                                                    2^max(-shift, 0): rounded twice, first with ties up, then with
//                                                    ties away from zero
//   gemmlowp                  fl(xs * ws) / os       the same
//   tflite_single_rounding    xs * ws / os           (raw * m + 2^(30 - shift)) >> (31 - shift): rounded once, ties up
//   xnnpack_rndnu             fl(fl(xs * ws) / os)   the same, sums saturate in int32
//   tvm                       fl(xs * ws) / os       the same in TVM's int64: nothing is limited, the result wraps
//   tvm_to_nearest            fl(xs * ws) / os       the same, ties away from zero
//
// Scales are float32 as they are stored, products and quotients of scales float64. The bias of the first four is
// fl(b * fl(1 / fl(xs * ws))), as TensorFlow Lite's converter stores it; that of TVM is fl(b / fl(xs * ws)), as its
// importer of PyTorch's models quantizes it; both are rounded with ties away from zero.
//
// tflite is what TensorFlow Lite's reference kernels compute, and, without TFLITE_SINGLE_ROUNDING, those of TensorFlow
// Lite for Microcontrollers; what CMSIS-NN computes (arm_nn_requantize); and, with TOSA's DOUBLE_ROUND, its RESCALE:
// there the two roundings are one addition of 2^(30 - shift) + 2^30, or - 2^30 for negative sums, which is the same.
// tflite_single_rounding is what these compute with TFLITE_SINGLE_ROUNDING, with CMSIS_NN_USE_SINGLE_ROUNDING and with
// TOSA's SINGLE_ROUND, and what ruy computes in TensorFlow Lite's optimized kernels. None of these is what TensorFlow
// Lite answers by default: it passes convolutions to XNNPACK (hypothesis_xnnpack.h). For TFLite, multipliers below
// 2^-32 become 0.
//
// xnnpack_rndnu is what XNNPACK computes on ARM for uint8 activations, and formerly for per-tensor int8 weights.
//
// TOSA's reference model is run in the tests (examples/tosa). CMSIS-NN, TVM and XNNPACK on ARM were not run: their
// steps are those of their sources.
//
// Integers are int32 and wrap unless stated differently.
// Deciding input: raw 2 with multiplier 1/4 is 0.5, which gives 1 here and 0 with FBGEMM; raw -2 gives -1 with tflite
// and tvm_to_nearest, and 0 with the others.

#include "oracle/hypotheses/hypothesis.h"

namespace tieout {

[[nodiscard]] std::uint8_t gemmlowp(const Window& window, Trace* trace);
[[nodiscard]] std::uint8_t tflite(const Window& window, Trace* trace);
[[nodiscard]] std::uint8_t tflite_single_rounding(const Window& window, Trace* trace);
[[nodiscard]] std::uint8_t xnnpack_rndnu(const Window& window, Trace* trace);
[[nodiscard]] std::uint8_t tvm(const Window& window, Trace* trace);
[[nodiscard]] std::uint8_t tvm_to_nearest(const Window& window, Trace* trace);

}  // namespace tieout
