#pragma once
// Converts the tensors of operators between row-major order and the order of kernels that take the channels last.
// Tensors of other than 4 and 5 dimensions have one order.

#include <vector>

#include "cases/layout.h"
#include "cases/tensor.h"

namespace tieout {

// True if a tensor of that shape has another order in memory with the channels last.
[[nodiscard]] inline bool has_channels_order(const Shape& shape) { return shape.size() == 4 || shape.size() == 5; }

// Returns row-major values with the channels last. values: none, or one for each element.
template <typename T>
[[nodiscard]] std::vector<T> with_channels_last(const std::vector<T>& values, const Shape& shape) {
  if (values.empty() || !has_channels_order(shape)) return values;
  return transposed(values.data(), shape[0], shape[1], element_count({shape.begin() + 2, shape.end()}));
}

// Returns values with the channels last in row-major order.
template <typename T>
[[nodiscard]] std::vector<T> in_row_major_order(const std::vector<T>& values, const Shape& shape) {
  if (values.empty() || !has_channels_order(shape)) return values;
  return transposed(values.data(), shape[0], element_count({shape.begin() + 2, shape.end()}), shape[1]);
}

}  // namespace tieout
