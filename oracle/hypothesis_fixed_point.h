#pragma once
// Hypotheses that scale in integers alone: the multiplier is m * 2^shift, m an int32 that stands for 0.5..1 (m / 2^31), from
// std::frexp, rounded with ties away from zero. The bias is an int32: fl(b * fl(1 / fl(xs * ws))), ties away from zero.
//
//   tflite                    high = (raw * 2^max(shift, 0) * m + 2^30) / 2^31, then / 2^max(-shift, 0): rounded twice,
//                             first with ties up, then with ties away from zero
//   gemmlowp                  the same; the multiplier from fl(xs * ws), which is what gemmlowp's first user computed
//   tflite_single_rounding    (raw * m + 2^(30 - shift)) >> (31 - shift): rounded once, ties up
//
// A multiplier below 2^-32 is 0. Integers are int32 and wrap.
// Deciding input: raw 2, multiplier 1/4: 0.5 is 1 here, 0 with FBGEMM; raw -2: -1 in tflite, 0 in tflite_single_rounding.

#include "oracle/hypothesis.h"

namespace tieout {

[[nodiscard]] std::uint8_t gemmlowp(const Window& window, Trace* trace);
[[nodiscard]] std::uint8_t tflite(const Window& window, Trace* trace);
[[nodiscard]] std::uint8_t tflite_single_rounding(const Window& window, Trace* trace);

}  // namespace tieout
