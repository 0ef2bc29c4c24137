#pragma once
// int8 convolution with relu: the specification, one scalar after the other. See conv_relu.cpp: the whole layer is there.

#include <cstdint>
#include <vector>

#include "cases/conv_case.h"

namespace tieout {

// problem: valid, with contents. Returns y: N x K x spatial.
//
//   acc = sum of x * w over the window                     int32, wraps; pairs may saturate: see Arithmetic
//   raw = acc - xz * sum(w) - wz * sum(x) + taps * xz * wz int32, wraps
//   s   = (float(raw) + bias in units of acc) * multiplier
//   y   = clamp(oz + ties_to_even(s), 0, 255); relu: max(y, oz)
//
// Outside of the input, x is xz. Error: none; this is what the result is defined to be.
[[nodiscard]] Tensor<std::uint8_t> conv_relu(const ConvProblem& problem, const Arithmetic& arithmetic);

// What lies between the window and the result, for one element.
struct ElementTrace {
  std::int32_t accumulator = 0;      // raw: zero points taken out
  bool wrapped = false;              // the sums did not fit int32
  std::int32_t saturated_pairs = 0;  // pairs that lost something in int16
  bool activation_sum_saturated = false;
  float scaled = 0;  // s: the value before rounding, in units of the output scale
  std::uint8_t result = 0;
};

// The same for the element of y at `offset`, row-major; and for every one, by code that shares nothing with it and is ten
// times as fast on small cases (a property holds the two together).
[[nodiscard]] ElementTrace conv_relu_trace(const ConvProblem& problem, const Arithmetic& arithmetic,
                                           std::int64_t offset);
[[nodiscard]] std::vector<ElementTrace> conv_relu_traces(const ConvProblem& problem, const Arithmetic& arithmetic);

}  // namespace tieout
