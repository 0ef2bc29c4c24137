#include <algorithm>
#include <cmath>

#include "cases/case_predicates.h"
#include "oracle/element/requantization_steps.h"
#include "oracle/element/ties_to_even.h"
#include "oracle/engines/engine_model.h"

namespace tieout {
namespace {

// The first version whose oneDNN multiplies by one scale after the other in its AVX-512 and reference code for
// convolutions.
constexpr LibTorchVersion kScaleByScale{.major = 2, .minor = 11, .patch = 0};

// True if C++ code computes the last steps; NaN stays NaN up to its end.
bool keeps_nan(OnednnCode code) {
  return code == OnednnCode::reference || code == OnednnCode::gemm || code == OnednnCode::matmul_reference;
}

// Returns the scale of an activation or an output as oneDNN computes with it. Eager operators pass its reciprocal to
// oneDNN, and oneDNN inverts it.
float scale_of(double scale, OnednnScales scales) {
  return scales == OnednnScales::as_given ? static_cast<float>(scale) : 1.0F / static_cast<float>(1.0 / scale);
}

bool is_matmul(OnednnCode code) {
  return code == OnednnCode::matmul || code == OnednnCode::matmul_reference || code == OnednnCode::matmul_product ||
         code == OnednnCode::matmul_pairs || code == OnednnCode::matmul_blocks;
}

// The scale of a weight of a linear layer, which is inverted twice as well: per tensor the first quotient is computed
// in double, per channel in float32.
float weight_inverted_twice(const Window& window) {
  if (window.granularity == Granularity::per_tensor) return scale_of(window.ws, OnednnScales::inverted_twice);
  return 1.0F / (1.0F / static_cast<float>(window.ws));
}

// True for a pointwise convolution. Strides of 1-d and 2-d convolutions count as 1 if they divide the input.
bool counts_as_pointwise(const ConvCase& c) {
  if (c.groups != 1 || c.kernel != Spatial{1, 1, 1} || c.padding != Spatial{}) return false;
  const Spatial out = output_size(c);
  for (std::size_t d = 0; d < 3; ++d) {
    if (c.stride[d] != 1 && (c.dims == 3 || out[d] * c.stride[d] != c.input[d])) return false;
  }
  return true;
}

// Returns what the sum loses where channels of one kernel position are added in pairs. Padding is 0 in that code and
// loses nothing.
std::int64_t lost_by_tap(const Window& window) {
  const auto channels = static_cast<std::size_t>(window.group_channels);
  std::int64_t lost = 0;
  for (std::size_t tap = 0; tap < window.w.size(); tap += channels) {
    if (window.inside[tap] != 0) lost += lost_in_pairs(window, tap, tap + channels);
  }
  return lost;
}

// Returns what the sum loses where neighbours of the whole window are added in pairs and padding is 0.
std::int64_t lost_in_window(const Window& window) {
  Window padded = window;
  for (std::size_t i = 0; i < padded.x.size(); ++i) padded.x[i] = window.inside[i] != 0 ? window.x[i] : 0;
  return lost_in_pairs(padded, 0, padded.x.size());
}

// Returns what the sum of a linear layer loses in pairs that begin anew in each block of the reduction.
std::int64_t lost_by_block(const Window& window) {
  constexpr std::size_t kBlock = 384, kWhole = 256;
  const std::size_t length = window.w.size();
  const std::size_t block = length >= 2 * kBlock ? kBlock : length > kWhole ? (length + 1) / 2 : length;
  std::int64_t lost = 0;
  for (std::size_t begin = 0; begin < length; begin += block) {
    lost += lost_in_pairs(window, begin, std::min(begin + block, length));
  }
  return lost;
}

// Returns the zero point times the sum of the weights that lie over padding, which AMX code reads as 0.
std::int64_t zero_points_in_padding(const Window& window) {
  std::int64_t weights = 0;
  for (std::size_t tap = 0; tap < window.w.size(); ++tap) {
    if (window.inside[tap] == 0) weights += window.w[tap];
  }
  return window.xz * weights;
}

// Returns fl(raw) as AMX code computes it: the zero point is taken out in float32, which differs if a sum exceeds 2^24
// or int32.
float raw_sum_amx(const Window& window, Trace* trace) {
  const std::int64_t in_padding = zero_points_in_padding(window);
  const auto accumulator = step(trace, "accumulator", wrapped(window.products - in_padding),
                                "sum of x * w inside of the input, int32, wraps");
  const std::int64_t zero_points = window.products - window.exact_sum() - in_padding;
  return step(trace, "raw", static_cast<float>(accumulator) - static_cast<float>(zero_points),
              "accumulator - xz * sum(w), each of the two and the difference float32");
}

// Returns the sum of x * w, wrapped.
std::int32_t accumulated(const Window& window, OnednnCode code, Trace* trace) {
  if (!adds_in_pairs(code)) return exact_accumulator(window, trace);
  if (code == OnednnCode::avx512_gemm) return pairs_accumulator(window, lost_in_window(window), trace);
  return pairs_accumulator(window, code == OnednnCode::matmul_blocks ? lost_by_block(window) : lost_by_tap(window),
                           trace);
}

// Returns fl(raw).
float raw_sum(const Window& window, OnednnCode code, Trace* trace) {
  if (code == OnednnCode::amx) return raw_sum_amx(window, trace);
  const std::int32_t accumulator = accumulated(window, code, trace);
  if (code == OnednnCode::pointwise) {
    const std::int64_t zero_points = window.exact_sum() - window.products;
    return step(trace, "raw", static_cast<float>(accumulator) + static_cast<float>(wrapped(zero_points)),
                "accumulator - xz * sum(w), each of the two and the difference float32");
  }
  return static_cast<float>(without_zero_points(window, accumulator, window.activations, trace));
}

// True if the code multiplies by one scale after the other, and not by their product.
bool scales_one_by_one(OnednnCode code) {
  return code == OnednnCode::vnni || code == OnednnCode::avx512_pairs || code == OnednnCode::reference ||
         (is_matmul(code) && code != OnednnCode::matmul_product && code != OnednnCode::matmul_blocks);
}

// Returns the sum in real units.
float real(const Window& window, OnednnCode code, OnednnScales scales, float raw, Trace* trace) {
  const bool as_given = scales == OnednnScales::as_given;
  const float activation_scale = step(trace, "activation scale", scale_of(window.xs, scales),
                                      as_given ? "xs' = xs, float32" : "xs' = 1 / float(1 / xs), float32");
  auto weight_scale = static_cast<float>(window.ws);
  if (is_matmul(code)) {
    weight_scale = step(trace, "weight scale", weight_inverted_twice(window),
                        "ws' = 1 / float(1 / ws), float32; per channel 1 / ws is computed in float32, too");
  }
  if (scales_one_by_one(code)) {
    const float by_activation = step(trace, "by activation scale", raw * activation_scale, "raw * xs', float32");
    return step(trace, "real", by_activation * weight_scale, "raw * xs' * ws, float32");
  }
  const float unit = step(trace, "unit", activation_scale * weight_scale, "xs' * ws, float32");
  return step(trace, "real", raw * unit, "raw * (xs' * ws), float32");
}

float with_relu(float v, OnednnCode code, Trace* trace) {
  if (keeps_nan(code) && std::isnan(v)) return v;
  return step(trace, "relu", v > 0 ? v : 0.0F, "v > 0 ? v : 0, before the output scale");
}

// Returns the value in output steps.
float scaled(const Window& window, OnednnCode code, OnednnScales scales, float v, Trace* trace) {
  const bool as_given = scales == OnednnScales::as_given;
  const float output_scale = scale_of(window.os, scales);
  if (code == OnednnCode::reference || code == OnednnCode::matmul_reference) {
    return step(trace, "scaled", v / output_scale,
                as_given ? "v / os, float32" : "v / os', os' = 1 / float(1 / os), float32");
  }
  const float multiplier = step(trace, "multiplier", 1.0F / output_scale,
                                as_given ? "1 / os, float32" : "1 / os', os' = 1 / float(1 / os), float32");
  return step(trace, "scaled", v * multiplier, as_given ? "v * (1 / os), float32" : "v / os', float32");
}

// Returns what NaN becomes. lowest, highest: the limits of the stored numbers.
float of_nan(float lowest, float highest, OnednnCode code) {
  const bool int8 = lowest < 0;
  switch (code) {
    case OnednnCode::depthwise:
    case OnednnCode::int16_pairs: return int8 ? highest : lowest;
    case OnednnCode::pointwise:
    case OnednnCode::matmul_pairs:
    case OnednnCode::matmul_blocks:
    case OnednnCode::matmul_reference: return lowest;
    case OnednnCode::reference:
    case OnednnCode::gemm: return 0;
    default: return int8 ? lowest : highest;
  }
}

float clamped(float v, float lowest, float highest, OnednnCode code) {
  return std::isnan(v) ? of_nan(lowest, highest, code) : std::clamp(v, lowest, highest);
}

// True if the scratch memory of code that copies its input may exceed 64 times the size of the tensors. oneDNN then
// runs its reference code. All observed cases had tensors of less than 1,500 bytes in total.
bool has_small_tensors(const ConvCase& c) {
  return element_count(activation_shape(c)) + element_count(weight_shape(c)) + element_count(output_shape(c)) < 4096;
}

}  // namespace

OnednnCode onednn_code(const ConvCase& c, const Hardware& hardware) {
  if (is_linear(c)) {
    const bool by_product = hardware.libtorch < kScaleByScale;
    if (!onednn_has_vnni(hardware)) return by_product ? OnednnCode::matmul_blocks : OnednnCode::matmul_pairs;
    if (by_product) return OnednnCode::matmul_product;
    return c.activation_zero_point == 0 ? OnednnCode::matmul : OnednnCode::matmul_reference;
  }
  const bool flat_depthwise = is_depthwise(c) && c.dims != 3;
  const bool by_product = hardware.libtorch < kScaleByScale;
  if (onednn_has_vnni(hardware)) {
    const bool gemm = is_depthwise(c) && !flat_depthwise && c.dilation != Spatial{1, 1, 1};
    return gemm || by_product ? OnednnCode::vnni_product : OnednnCode::vnni;
  }
  if (hardware.avx512) {
    if (flat_depthwise) return by_product ? OnednnCode::vnni_product : OnednnCode::vnni;
    if (is_depthwise(c)) return OnednnCode::avx512_gemm;
    return by_product ? OnednnCode::avx512_pairs_product : OnednnCode::avx512_pairs;
  }
  if (flat_depthwise) return OnednnCode::depthwise;
  if (counts_as_pointwise(c)) return OnednnCode::pointwise;
  const bool by_four = c.in_channels / c.groups % 4 == 0 && c.out_channels / c.groups % 4 == 0;
  if (c.groups == 1 || by_four) return OnednnCode::int16_pairs;
  return by_product ? OnednnCode::gemm : OnednnCode::reference;
}

std::optional<OnednnCode> onednn_other_code(const ConvCase& c, const Hardware& hardware) {
  // Before that version, this code ran on small tensors as well.
  const bool gemm = is_depthwise(c) && c.dims == 3 && (!hardware.avx512_vnni || c.dilation != Spatial{1, 1, 1});
  if (gemm && hardware.avx512 && hardware.libtorch >= kScaleByScale && has_small_tensors(c)) {
    return OnednnCode::reference;
  }
  if (!hardware.amx_int8 || !hardware.avx512_vnni || is_depthwise(c) || is_linear(c)) return {};
  return OnednnCode::amx;
}

std::int32_t onednn_sum(const Window& window, OnednnCode code, Trace* trace) {
  return without_zero_points(window, accumulated(window, code, trace), window.activations, trace);
}

std::uint8_t onednn_model(const Window& window, OnednnCode code, OnednnScales scales, Trace* trace) {
  float v = real(window, code, scales, raw_sum(window, code, trace), trace);
  if (window.bias) {
    step(trace, "bias", *window.bias, "as it is, in real units");
    v = step(trace, "with bias", v + *window.bias, "real + bias, float32");
  }
  if (window.relu == Relu::on) v = with_relu(v, code, trace);
  const float shifted = with_stored_zero_point(window, scaled(window, code, scales, v, trace), trace);
  const auto lowest = static_cast<float>(-window.output_shift);
  const float rounded = step(trace, "rounded", ties_to_even(clamped(shifted, lowest, lowest + 255.0F, code)),
                             "clamp to 0..255, NaN is 255 with VNNI and 0 without; to nearest, ties to even");
  return step(trace, "result", static_cast<std::uint8_t>(static_cast<std::int64_t>(rounded) + window.output_shift),
              "as uint8");
}

}  // namespace tieout
