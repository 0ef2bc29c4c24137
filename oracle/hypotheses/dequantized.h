#pragma once
// Provides the two hypotheses of the document whose script started this project: that the operator dequantizes its
// inputs, computes in floating point and quantizes the result. LibTorch is not used; where a hypothesis differs from
// the operator, the operator does not compute like it.
//
// A stored value q stands for scale * (q - zero_point); fl() rounds to float32. Both hypotheses use the activation in
// float32,
//
//   x = fl(fl(q - xz) * fl(xs))
//
// and compute, over the window in the order channel, kd, kh, kw,
//
//   manual_output_1, float64:   v = sum(x * w) + bias,  w = (q - wz) * ws            y = ties_to_even(relu(v / os))
//   manual_output_2, float32:   v = sum(x * w) + bias,  every operation rounded,     y = relu(ties_to_even(v / fl(os)))
//                               w = fl(fl(q - wz) * fl(ws)) per tensor, fl((q - wz) * ws) per channel
//
// Without relu, y is as above without relu(). Outside of the input, x is 0.

#include <cstdint>

#include "oracle/hypotheses/hypothesis.h"

namespace tieout {

// Evaluate the script's own expressions: y as the script prints it, neither clamped nor with the zero point added.
// problem: valid; one channel in and out, kernel 1, stride 1, no padding, weight zero point 0, with bias and relu. Any
// other problem ends the process.
[[nodiscard]] Tensor<double> document_output_1(const ConvProblem& problem);
[[nodiscard]] Tensor<float> document_output_2(const ConvProblem& problem);

// Dequantize one stored number, for code that sums many windows. steps: q less its zero point. Real: float for
// manual_output_2, double for manual_output_1.
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

// Apply the steps after the sum. sum: of x * w over the window in the order above. parameters: a window whose
// parameters only are read.
[[nodiscard]] std::uint8_t manual_output_1(double sum, const Window& parameters, Trace* trace);
[[nodiscard]] std::uint8_t manual_output_2(float sum, const Window& parameters, Trace* trace);

// Evaluate the hypotheses for any valid problem: clamp(y + oz, 0, 255). NaN, which requires sums beyond the range of
// float32, gives 0.
[[nodiscard]] std::uint8_t manual_output_1(const Window& window, Trace* trace);
[[nodiscard]] std::uint8_t manual_output_2(const Window& window, Trace* trace);
[[nodiscard]] Answers manual_output_1(const ConvProblem& problem);
[[nodiscard]] Answers manual_output_2(const ConvProblem& problem);

}  // namespace tieout
