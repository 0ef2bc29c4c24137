#pragma once
// Formats a tensor as python does: str(torch.tensor) with PyTorch 2.15.0's default print options, byte for byte.
//
//   tensor([[[[ 96.,   0.,  15.,  15.],
//             [104.,   0.,   0.,  64.]]]], dtype=torch.float64,
//          grad_fn=<RoundBackward0>)
//
// It shows 4 digits in 80 columns and, above 1000 elements, only the first and last 3 along each dimension.

#include <string>
#include <string_view>

#include "cases/conv_case.h"

namespace tieout {

// T: std::uint8_t, std::int8_t, std::int32_t, float or double. grad_fn: the name of the autograd node that made the
// tensor, "RoundBackward0"; empty if there is none.
template <typename T>
[[nodiscard]] std::string tensor_text(const Tensor<T>& tensor, std::string_view grad_fn = {});

// Returns the output of a convolution, in the values that its type stores, as a tensor of that type.
[[nodiscard]] std::string output_text(const Answers& stored, OutputType type);

// Returns a tensor of float32 whose bits the values are.
[[nodiscard]] std::string float_bits_text(const Answers& bits);

}  // namespace tieout
