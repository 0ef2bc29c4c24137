#pragma once
// Provides a dense tensor: a shape and its elements in row-major order, the last dimension fastest.

#include <cstdint>
#include <functional>
#include <numeric>
#include <vector>

namespace tieout {

using Shape = std::vector<std::int64_t>;

[[nodiscard]] inline std::int64_t element_count(const Shape& shape) {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>{});
}

template <typename T>
struct Tensor {
  Shape shape;
  std::vector<T> values;  // Has element_count(shape) elements.

  bool operator==(const Tensor&) const = default;
};

// Outputs of a convolution: bytes as a case holds them (int8 ones 128 higher, see cases/conv_case.h), or int32 sums.
using Answers = Tensor<std::int32_t>;

[[nodiscard]] inline Answers as_answers(const Tensor<std::uint8_t>& bytes) {
  return {bytes.shape, {bytes.values.begin(), bytes.values.end()}};
}

// Returns the answers as bytes; they must be no int32 sums.
[[nodiscard]] inline Tensor<std::uint8_t> as_bytes(const Answers& answers) {
  Tensor<std::uint8_t> bytes{answers.shape, {}};
  bytes.values.reserve(answers.values.size());
  for (const std::int32_t value : answers.values) bytes.values.push_back(static_cast<std::uint8_t>(value));
  return bytes;
}

// Returns the number of elements that differ. The lists are equally long.
template <typename T>
[[nodiscard]] std::int64_t count_differing(const std::vector<T>& a, const std::vector<T>& b) {
  return std::transform_reduce(a.begin(), a.end(), b.begin(), std::int64_t{0}, std::plus<>{},
                               [](const T& x, const T& y) { return std::int64_t{x != y}; });
}

// Returns the index of element `offset` in a tensor of this shape, outermost dimension first.
[[nodiscard]] inline std::vector<std::int64_t> unravel(std::int64_t offset, const Shape& shape) {
  std::vector<std::int64_t> index(shape.size());
  for (std::size_t d = shape.size(); d-- > 0;) {
    index[d] = offset % shape[d];
    offset /= shape[d];
  }
  return index;
}

}  // namespace tieout
