#include <algorithm>
#include <cmath>

#include "oracle/engine_model.h"
#include "oracle/steps.h"
#include "oracle/ties_to_even.h"

namespace tieout {
namespace {

// LibTorch hands oneDNN reciprocals of the scales, and oneDNN inverts them.
float inverted_twice(double scale) { return 1.0F / static_cast<float>(1.0 / scale); }

// Most of oneDNN's code multiplies by one scale after the other; its code of last resort, gemm_s8u8s32, by their product.
// That is what 3-d depthwise convolutions with a dilation get, also one along a dimension that the kernel does not extend in.
bool multiplies_scales_first(const ConvCase& c) {
  return c.dims == 3 && c.groups > 1 && c.in_channels == c.groups && c.out_channels == c.groups &&
         c.dilation != Spatial{1, 1, 1};
}

// raw in real units.
float real(const Window& window, std::int32_t raw, Trace* trace) {
  const float activation_scale =
      step(trace, "activation scale", inverted_twice(window.xs), "xs' = 1 / float(1 / xs), float32");
  const auto weight_scale = static_cast<float>(window.ws);
  if (multiplies_scales_first(*window.spec)) {
    const float unit = step(trace, "unit", activation_scale * weight_scale, "xs' * ws, float32");
    return step(trace, "real", static_cast<float>(raw) * unit, "raw * (xs' * ws), float32");
  }
  const float by_activation =
      step(trace, "by activation scale", static_cast<float>(raw) * activation_scale, "raw * xs', float32");
  return step(trace, "real", by_activation * weight_scale, "raw * xs' * ws, float32");
}

}  // namespace

std::uint8_t onednn_model(const Window& window, Trace* trace) {
  const std::int32_t accumulator = exact_accumulator(window, trace);
  const std::int32_t raw = without_zero_points(window, accumulator, window.activations, trace);
  float v = real(window, raw, trace);
  if (window.bias) {
    step(trace, "bias", *window.bias, "as it is, in real units");
    v = step(trace, "with bias", v + *window.bias, "real + bias, float32");
  }
  if (window.relu == Relu::on) v = step(trace, "relu", v > 0 ? v : 0.0F, "v > 0 ? v : 0, before the output scale");
  const float multiplier =
      step(trace, "multiplier", 1.0F / inverted_twice(window.os), "1 / os', os' = 1 / float(1 / os), float32");
  const float scaled = step(trace, "scaled", v * multiplier, "v / os', float32");
  const float shifted =
      step(trace, "with zero point", scaled + static_cast<float>(window.oz), "scaled + oz, float32, before rounding");
  const float clamped = std::isnan(shifted) ? 255.0F : std::clamp(shifted, 0.0F, 255.0F);
  step(trace, "rounded", ties_to_even(clamped), "clamp to 0..255, NaN is 255; to nearest, ties to even");
  return step(trace, "result", static_cast<std::uint8_t>(ties_to_even(clamped)), "as uint8");
}

}  // namespace tieout
