#include "oracle/hypotheses/hypothesis_xnnpack.h"

#include <algorithm>

#include "oracle/element/requantization_steps.h"
#include "oracle/element/ties_to_even.h"
#include "oracle/hypotheses/hypothesis_bias.h"

namespace tieout {

std::uint8_t xnnpack(const Window& window, Trace* trace) {
  const std::int32_t accumulator = exact_accumulator(window, trace);
  const std::int32_t sum =
      with_tflite_bias(window, without_zero_points(window, accumulator, window.activations, trace), trace);
  const float multiplier = float_multiplier(window, trace);
  const float scaled =
      step(trace, "scaled", static_cast<float>(sum) * multiplier, "raw with bias * multiplier, float32");
  // std::min(s, highest) is `highest` where s is NaN, as x86's minps gives its second operand.
  const auto highest = static_cast<float>(255 - window.oz);
  const float limited = scaled < highest ? scaled : highest;
  const std::int32_t rounded = step(trace, "rounded", to_int32(ties_to_even(limited)),
                                    "at most 255 - oz; to nearest, ties to even; int32, beyond it INT32_MIN");
  return saturated(window, rounded, lowest_output(window), trace);
}

}  // namespace tieout
