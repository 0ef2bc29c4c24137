#pragma once
// The document's two hypotheses: that the operator dequantizes, computes in floats and quantizes the result. LibTorch
// has no part in them; where they differ from the operator, it does not compute like this.
//
// A stored value q stands for scale * (q - zero_point); fl() rounds to float32. Both take the activation in float32,
//
//   x = fl(fl(q - xz) * fl(xs))
//
// and then, over the window and in the order channel, kd, kh, kw,
//
//   manual_output_1, float64:   v = sum(x * w) + bias,  w = (q - wz) * ws            y = ties_to_even(relu(v / os))
//   manual_output_2, float32:   v = sum(x * w) + bias,  every operation rounded,     y = relu(ties_to_even(v / fl(os)))
//                               w = fl(fl(q - wz) * fl(ws)) per tensor, fl((q - wz) * ws) per channel
//
// Where relu is off, y is as above without it. Outside of the input, x is 0.

#include <cstdint>

#include "oracle/hypothesis.h"

namespace tieout {

// The script's own expressions: y as it is printed there, neither clamped nor with a zero point added.
// problem: valid; one channel in and out, kernel 1, stride 1, no padding, weight zero point 0, with bias and relu.
[[nodiscard]] Tensor<double> document_output_1(const ConvProblem& problem);
[[nodiscard]] Tensor<float> document_output_2(const ConvProblem& problem);

// What both are made of, for those who sum up many windows: float32 and float64 are the hypotheses' own types.
// steps: q less its zero point.
[[nodiscard]] inline float dequantized_activation(std::int32_t steps, double scale) {
  return static_cast<float>(steps) * static_cast<float>(scale);
}
template <typename Real>
[[nodiscard]] Real dequantized_weight(std::int32_t steps, double scale, Granularity granularity) {
  if constexpr (sizeof(Real) == sizeof(float)) {
    if (granularity == Granularity::per_tensor) return static_cast<float>(steps) * static_cast<float>(scale);
  }
  return static_cast<Real>(static_cast<double>(steps) * scale);
}

// What follows the sum, which is of x * w over the window in the order above. Of the window its parameters are looked at.
[[nodiscard]] std::uint8_t manual_output_1(double sum, const Window& parameters, Trace* trace);
[[nodiscard]] std::uint8_t manual_output_2(float sum, const Window& parameters, Trace* trace);

// The same hypotheses for every valid problem: clamp(y + oz, 0, 255). A NaN, which takes sums beyond float32, is 0.
[[nodiscard]] std::uint8_t manual_output_1(const Window& window, Trace* trace);
[[nodiscard]] std::uint8_t manual_output_2(const Window& window, Trace* trace);
[[nodiscard]] Tensor<std::uint8_t> manual_output_1(const ConvProblem& problem);
[[nodiscard]] Tensor<std::uint8_t> manual_output_2(const ConvProblem& problem);

}  // namespace tieout
