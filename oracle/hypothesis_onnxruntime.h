#pragma once
// ONNX Runtime's QLinearConv on its CPU provider, with the bias as its quantizer stores it.
//
//   bias = RNE(double(b) / double(fl(xs * ws))), clamped to int32
//   s    = fl(fl(raw + bias) * fl(fl(xs * ws) / os))
//   y    = RNE(clamp(s, 0 - oz, 255 - oz)) + oz     NaN becomes 0 - oz; relu: max(y, oz)
//
// Clamped before it becomes an integer: no value is too large for int32. Without weight zero points, its products saturate
// in pairs where the CPU has no VNNI (integer_int16_pairs); here they are exact.

#include "oracle/hypothesis.h"

namespace tieout {

[[nodiscard]] std::uint8_t onnxruntime(const Window& window, Trace* trace);

}  // namespace tieout
