#pragma once
// Hypotheses for ONNX Runtime's QLinearConv on its CPU provider, with the bias as its quantizer stores it.
//
//   bias = RNE(double(b) / double(fl(xs * ws))), clamped to int32
//   s    = fl(fl(raw + bias) * fl(fl(xs * ws) / os))
//   y    = RNE(clamp(s, 0 - oz, 255 - oz)) + oz     NaN becomes 0 - oz; relu: max(y, oz)
//
// The value is clamped before the conversion to an integer, so that no value is too large for int32.

#include "oracle/hypotheses/hypothesis.h"

namespace tieout {

[[nodiscard]] std::uint8_t onnxruntime(const Window& window, Trace* trace);

// QLinearConv on CPUs without VNNI: products are added in pairs as in integer_int16_pairs, except in depthwise layers
// (one input and one output channel per group, several groups).
[[nodiscard]] std::uint8_t onnxruntime_int16_pairs(const Window& window, Trace* trace);
[[nodiscard]] std::int32_t onnxruntime_sum_of_int16_pairs(const Window& window, Trace* trace);

}  // namespace tieout
