#pragma once
// A whole output from an arithmetic on windows.

#include "oracle/window.h"

namespace tieout {

// y(window) for every output element of the problem.
template <typename Arithmetic>
[[nodiscard]] Tensor<std::uint8_t> each_window(const ConvProblem& problem, Arithmetic y) {
  Tensor<std::uint8_t> result{output_shape(problem.spec), {}};
  result.values.resize(static_cast<std::size_t>(element_count(result.shape)));
  const ConvCase& c = problem.spec;
  const std::int64_t positions = volume(output_size(c));
  const std::int64_t outputs = c.out_channels / c.groups;
  const std::vector<std::int8_t> weights = reordered_weights(problem);
  Window window;
  for (std::int64_t image = 0; image < c.batch * c.groups; ++image) {
    for (std::int64_t p = 0; p < positions; ++p) {
      gather_activations(problem, image, p, window);
      for (std::int64_t o = 0; o < outputs; ++o) {
        const std::int64_t k = image % c.groups * outputs + o;
        take_channel(c, k, weights.data() + k * reduction_length(c), window);
        result.values[static_cast<std::size_t>((image * outputs + o) * positions + p)] =
            y(static_cast<const Window&>(window));
      }
    }
  }
  return result;
}

}  // namespace tieout
