#include "kernels/operators/joining_kernels.h"

#include <array>

#include "kernels/operators/quantized_arithmetic.h"

namespace tieout {
namespace {

// Each element is dequantized with the parameters of its own input.
OperatorOutput cat(const OperatorCase& c) {
  OperatorOutput output;
  output.values.shape = output_shape(c);
  const std::int64_t given = integer(c, "dim");
  const std::int64_t dim = given < 0 ? given + std::ssize(output.values.shape) : given;
  const auto along = output.values.shape.begin() + dim;
  const std::int64_t outer = element_count({output.values.shape.begin(), along});
  const std::int64_t inner = element_count({along + 1, output.values.shape.end()});
  for (std::int64_t row = 0; row < outer; ++row) {
    for (const OperatorInput& input : c.inputs) {
      const std::int64_t run = input.shape[static_cast<std::size_t>(dim)] * inner;
      for (std::int64_t i = row * run; i < (row + 1) * run; ++i) {
        float x = operator_kernels::real(input.contents.values[static_cast<std::size_t>(i)], input.quantization);
        if (flag(c, "relu")) x = std::max(x, 0.0F);
        output.values.values.push_back(operator_kernels::byte_of(x, c.output));
      }
    }
  }
  return output;
}

constexpr std::array kJoiningKernels{OperatorKernel{"cat", cat}};

}  // namespace

std::span<const OperatorKernel> joining_kernels() { return kJoiningKernels; }

}  // namespace tieout
