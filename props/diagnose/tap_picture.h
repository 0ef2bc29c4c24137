#pragma once
// Draws which input positions a model of a kernel reads for one output element, beside those that the contract reads.

#include <cstdint>
#include <string>
#include <vector>

#include "props/diagnose/kernel_model.h"

namespace tieout {

// Returns the lines of a picture of the element's window: one row per row of the convolution's kernel, one sign per
// tap.
//
//   window of output [0, 0, 0, 1], input channel 0: = right, + read though it lies in padding
//           kw  0 1
//     kh 0      = +
//   tap [0, 1] reads x[0, 0, 1, 0] and not padding
//
// It shows the first input channel of the group in which model and contract differ. The result is empty if they read
// the same, if the model has another order of tensors, if it reads outside of a buffer, or if the case is too large.
[[nodiscard]] std::vector<std::string> tap_picture(const KernelModel& model, const ConvCase& c, std::int64_t offset);

}  // namespace tieout
