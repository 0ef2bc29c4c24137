#pragma once
// The specification of the int8 convolution with relu: scalar code that computes one element after the other. The whole
// layer is in conv_relu.cpp.

#include <cstdint>
#include <vector>

#include "cases/conv_case.h"

namespace tieout {

// Returns y, N x K x spatial. problem: valid, with contents.
//
//   acc = sum of x * w over the window                     int32, wraps; pairs may saturate: see Arithmetic
//   raw = acc - xz * sum(w) - wz * sum(x) + taps * xz * wz int32, wraps; with the int32 bias, if there is one
//   s   = (float(raw) + bias in units of acc) * multiplier
//   y   = clamp(oz + ties_to_even(s), 0, 255); relu: max(y, oz); an int32 output is raw
//
// Outside of the input, x is xz. Of int8 activations and outputs the values are those that a case holds, 128 higher.
// There is no error: the result is defined to be what this function computes.
[[nodiscard]] Answers conv_relu(const ConvProblem& problem, const Arithmetic& arithmetic);

// The intermediate values of one output element.
struct ElementTrace {
  std::int32_t accumulator = 0;      // raw, the sum without the zero points' contributions, with the int32 bias
  bool wrapped = false;              // true if the sums did not fit int32
  std::int32_t saturated_pairs = 0;  // number of pairs of products that saturated in int16
  bool activation_sum_saturated = false;
  float scaled = 0;  // s, the value before rounding, in units of the output scale
  std::int32_t result = 0;
};

// Returns the trace of the element of y at `offset` in row-major order.
[[nodiscard]] ElementTrace conv_relu_trace(const ConvProblem& problem, const Arithmetic& arithmetic,
                                           std::int64_t offset);
// Returns the traces of all elements of y, by code that shares nothing with the specification and is ten times as fast
// on small cases. A property compares the two. Cases that can_be_padded() excludes are computed by conv_relu_trace().
[[nodiscard]] std::vector<ElementTrace> conv_relu_traces(const ConvProblem& problem, const Arithmetic& arithmetic);

}  // namespace tieout
