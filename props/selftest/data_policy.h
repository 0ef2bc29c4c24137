#pragma once
// Imitates how other test harnesses draw the data of an int8 convolution and which differences they tolerate, to
// measure which faults they detect. Values and tolerances are those of the harness. Shapes are drawn by our generator,
// and scales so that results spread over the output's range. The kernel is called as these harnesses call it: once,
// from one thread, with buffers whose ends are not guarded.

#include <cstdint>
#include <span>
#include <string_view>

#include "cases/random.h"
#include "kernels/subject/subject.h"

namespace tieout {

struct DataPolicy {
  std::string_view name;
  // Bounds of activation and weight, which are drawn uniformly.
  int x_low, x_high, w_low, w_high;
  enum class Tolerance {
    exact,
    either_side_of_a_tie,
    one,         // |y - expected| <= 1
    nine_tenths  // |y - value before rounding| <= 0.9
  } tolerance;
  enum class Relu { sometimes, never } relu = Relu::sometimes;
};

// Returns the policies of PyTorch's test_qconv2d_relu, FBGEMM's UniConvTest, oneDNN's benchdnn, ONNX Runtime's
// QLinearConv tests, XNNPACK's operator tests and TFLite's delegate tests.
[[nodiscard]] std::span<const DataPolicy> data_policies();

// Returns a valid case with listed contents.
[[nodiscard]] ConvCase draw_policy_case(const DataPolicy& policy, Random& random);

// Returns how many cases the policy needs to detect that the subject differs from the specification; 0: it does not
// within `cases`. A crash counts as detected.
[[nodiscard]] std::int64_t cases_to_notice(const DataPolicy& policy, Subject& subject, std::int64_t cases,
                                           std::uint64_t seed);

}  // namespace tieout
