#pragma once
// Formats a result of `tieout experiment` as the document's python script prints it: each tensor below its title, then
// the sums of the differences.
//
//   manual_output_1:
//    tensor([[[[96.,  0.]]]], dtype=torch.float64, grad_fn=<RoundBackward0>)
//   output produced by forward():
//    tensor([[[[96,  0]]]], dtype=torch.uint8)
//   manual_output_1 and conv_outputs differ by: 0.0

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "cases/tensor.h"

namespace tieout {

struct TitledTensor {
  std::string title;
  std::variant<Tensor<std::uint8_t>, Tensor<std::int8_t>, Tensor<std::int32_t>, Tensor<float>, Tensor<double>> tensor;
  std::string grad_fn = {};  // as in tensor_text()
};

// sum: of subject - reference over all elements, with sign, so that it can be 0 although elements differ.
struct SignedDifference {
  std::string subject;
  std::string reference;
  double sum = 0;
};

struct Document {
  std::vector<TitledTensor> tensors;
  std::vector<SignedDifference> differences;
};

[[nodiscard]] std::string document_text(const Document& document);

// Returns what python's repr(float) returns, the shortest digits that read back to the same bits: "0.0", "-0.0",
// "1e-05", "1e+16", "inf", "nan".
[[nodiscard]] std::string python_float(double value);

// Return python code of a number. A float is written with the digits of its double: python reads doubles, and rounding
// twice could change the value.
[[nodiscard]] std::string python_literal(double value);
[[nodiscard]] std::string python_literal(std::int64_t value);

}  // namespace tieout
