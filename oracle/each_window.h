#pragma once
// A whole output from an arithmetic on windows.

#include "oracle/window.h"

namespace tieout {

// y(window) for every output element of the problem.
template <typename Arithmetic>
[[nodiscard]] Tensor<std::uint8_t> each_window(const ConvProblem& problem, Arithmetic y) {
  Tensor<std::uint8_t> result{output_shape(problem.spec), {}};
  result.values.resize(static_cast<std::size_t>(element_count(result.shape)));
  Window window;
  std::int64_t offset = 0;
  for (std::uint8_t& value : result.values) {
    gather(problem, offset++, window);
    value = y(static_cast<const Window&>(window));
  }
  return result;
}

}  // namespace tieout
