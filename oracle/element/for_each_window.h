#pragma once
// Provides for_each_window(), which evaluates an arithmetic of one window at every output element of a problem.

#include "oracle/element/window_iterator.h"

namespace tieout {

// Returns y(window) for every output element, in N x K x spatial. detail: the part of each window that y reads.
template <typename Arithmetic>
[[nodiscard]] Answers for_each_window(const ConvProblem& problem, Arithmetic y,
                                      WindowIterator::Detail detail = WindowIterator::Detail::all) {
  const ConvCase& c = problem.spec;
  Answers result{output_shape(c), {}};
  result.values.resize(static_cast<std::size_t>(element_count(result.shape)));
  const Spatial out = output_size(c);
  const std::int64_t outputs = c.out_channels / c.groups;
  WindowIterator walk(problem, detail);
  std::int32_t* of_image = result.values.data();
  for (std::int64_t image = 0; image < c.batch * c.groups; ++image, of_image += outputs * volume(out)) {
    walk.enter(image);
    std::int32_t* of_position = of_image;
    for (Spatial at{}; at[0] < out[0]; ++at[0]) {
      for (at[1] = 0; at[1] < out[1]; ++at[1]) {
        for (at[2] = 0; at[2] < out[2]; ++at[2], ++of_position) {
          walk.stand(at);
          for (std::int64_t o = 0; o < outputs; ++o) {
            of_position[o * volume(out)] = y(walk.look(image % c.groups * outputs + o));
          }
        }
      }
    }
  }
  return result;
}

}  // namespace tieout
