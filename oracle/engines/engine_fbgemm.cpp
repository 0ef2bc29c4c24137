#include <algorithm>

#include "oracle/element/requantization_steps.h"
#include "oracle/engines/engine_model.h"

namespace tieout {

std::int32_t fbgemm_sum(const Window& window, const Arithmetic& arithmetic, Trace* trace) {
  const std::int32_t accumulator = arithmetic.products == Arithmetic::Products::exact
                                       ? exact_accumulator(window, trace)
                                       : pairs_accumulator(window, trace);
  std::int64_t activations = window.activations;
  if (arithmetic.activation_sum == Arithmetic::ActivationSum::int16) {
    activations = step(trace, "activations", std::min<std::int64_t>(activations, 32767), "sum(x), saturated to int16");
  }
  return without_zero_points(window, accumulator, activations, trace);
}

std::uint8_t fbgemm_model(const Window& window, const Arithmetic& arithmetic, Trace* trace) {
  return requantized(window, fbgemm_sum(window, arithmetic, trace), arithmetic.tensor_bias, trace);
}

}  // namespace tieout
