#pragma once
// Hypotheses that requantization uses integers only. The multiplier is m * 2^shift, where the int32 m represents m /
// 2^31 in 0.5 .. 1; m is the fraction from std::frexp, rounded with ties away from zero. The bias is an int32: fl(b *
// fl(1 / fl(xs * ws))), rounded with ties away from zero.
//
//   tflite                    high = (raw * 2^max(shift, 0) * m + 2^30) / 2^31, then / 2^max(-shift, 0): rounded twice,
//                             first with ties up, then with ties away from zero
//   gemmlowp                  the same with the multiplier from fl(xs * ws), as early TensorFlow Lite computed it
//   tflite_single_rounding    (raw * m + 2^(30 - shift)) >> (31 - shift): rounded once, with ties up
//
// A multiplier below 2^-32 becomes 0. Integers are int32 and wrap.
// Deciding input: raw 2 with multiplier 1/4 is 0.5, which gives 1 here and 0 with FBGEMM; raw -2 gives -1 with tflite
// and 0 with tflite_single_rounding.

#include "oracle/hypotheses/hypothesis.h"

namespace tieout {

[[nodiscard]] std::uint8_t gemmlowp(const Window& window, Trace* trace);
[[nodiscard]] std::uint8_t tflite(const Window& window, Trace* trace);
[[nodiscard]] std::uint8_t tflite_single_rounding(const Window& window, Trace* trace);

}  // namespace tieout
