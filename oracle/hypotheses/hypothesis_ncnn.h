#pragma once
// Hypothesis for ncnn's int8 convolution that is followed by another int8 layer (Requantize). ncnn stores the inverse
// of every scale, dequantizes the sum, adds the bias and quantizes again. It has no zero points, and its values are
// -127..127.
//
//   scale_in = fl(1 / fl(fl(1 / xs) * fl(1 / ws)))
//   v = fma(fl(raw), scale_in, bias), without bias fl(fl(raw) * scale_in); relu: max(v, 0)
//   y = oz + clamp(round(fl(v * fl(1 / os))), -127, 127)     ties away from zero
//
// Values beyond int32 become INT32_MIN before they are clamped, as x86 converts them. oz is added for layers that have
// a zero point; the result is limited to 0..255. ncnn's code without fused multiplication rounds v twice, and its
// vector code for x86 rounds the one value next below 0.5 to 1, where scalar code gives 0.
//
// Checked by hand with ncnn 1.0.20261020 from PyPI on a CPU with AVX-512: 15,858 elements of 1x1 layers are equal, 724
// of which FBGEMM answers differently.
//
// Deciding input: raw 1 with os 2 is 0.5, which gives 1 here and 0 with FBGEMM.

#include "oracle/hypotheses/hypothesis.h"

namespace tieout {

[[nodiscard]] std::uint8_t ncnn(const Window& window, Trace* trace);

}  // namespace tieout
