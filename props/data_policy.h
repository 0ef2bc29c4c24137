#pragma once
// How other harnesses draw the data of an int8 convolution, and what they let pass. Their values and tolerances; shapes are
// drawn as ours, scales so that results spread over the output's range, and the kernel is called as theirs is: once, in
// memory that is its own, from one thread.

#include <cstdint>
#include <span>
#include <string_view>

#include "cases/random.h"
#include "kernels/subject.h"

namespace tieout {

struct DataPolicy {
  std::string_view name;
  int x_low, x_high, w_low, w_high;  // every value alike
  enum class Tolerance {
    exact,
    either_side_of_a_tie,
    one,         // |y - expected| <= 1
    nine_tenths  // |y - value before rounding| <= 0.9
  } tolerance;
  enum class Relu { sometimes, never } relu = Relu::sometimes;
};

// PyTorch's test_qconv2d_relu, FBGEMM's UniConvTest, oneDNN's benchdnn, ONNX Runtime's QLinearConv tests, XNNPACK's operator
// tests, TFLite's delegate tests.
[[nodiscard]] std::span<const DataPolicy> data_policies();

// A valid case with listed contents.
[[nodiscard]] ConvCase draw_policy_case(const DataPolicy& policy, Random& random);

// How many cases it took the policy to notice that the subject is not the specification; 0: not within `cases`. A crash is
// noticed.
[[nodiscard]] std::int64_t cases_to_notice(const DataPolicy& policy, Subject& subject, std::int64_t cases,
                                           std::uint64_t seed);

}  // namespace tieout
