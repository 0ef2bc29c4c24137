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
  return code == OnednnCode::reference || code == OnednnCode::gemm || code == OnednnCode::matmul_reference ||
         code == OnednnCode::matmul_reciprocal;
}

// Returns the scale of an activation or an output as oneDNN computes with it. Eager operators pass its reciprocal to
// oneDNN, and oneDNN inverts it.
float scale_of(double scale, OnednnScales scales) {
  return scales == OnednnScales::as_given ? static_cast<float>(scale) : 1.0F / static_cast<float>(1.0 / scale);
}

bool is_matmul(OnednnCode code) {
  return code == OnednnCode::matmul || code == OnednnCode::matmul_reference || code == OnednnCode::matmul_product ||
         code == OnednnCode::matmul_pairs || code == OnednnCode::matmul_blocks || code == OnednnCode::matmul_avx512 ||
         code == OnednnCode::matmul_exact || code == OnednnCode::matmul_reciprocal;
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
         (is_matmul(code) && code != OnednnCode::matmul_product && code != OnednnCode::matmul_blocks &&
          code != OnednnCode::matmul_exact);
}

// Returns the sum in real units.
float real(const Window& window, OnednnCode code, OnednnScales scales, float raw, Trace* trace) {
  const bool as_given = scales == OnednnScales::as_given;
  const float activation_scale = step(trace, "activation scale", scale_of(window.xs, scales),
                                      as_given ? "xs' = xs, float32" : "xs' = 1 / float(1 / xs), float32");
  auto weight_scale = static_cast<float>(window.ws);
  if (is_matmul(code) && !as_given) {
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
  if (code == OnednnCode::gemm && std::isnan(v)) return v;
  if (keeps_nan(code) && code != OnednnCode::gemm) {
    return step(trace, "relu", v > 0 ? v : v * 0.0F, "v > 0 ? v : v * 0, before the output scale");
  }
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
    case OnednnCode::matmul_exact:
    case OnednnCode::matmul_blocks: return lowest;
    case OnednnCode::matmul_reference:
    case OnednnCode::matmul_reciprocal:
    case OnednnCode::reference:
    case OnednnCode::gemm: return 0;
    default: return int8 ? lowest : highest;
  }
}

float clamped(float v, float lowest, float highest, OnednnCode code) {
  return std::isnan(v) ? of_nan(lowest, highest, code) : std::clamp(v, lowest, highest);
}

// Returns v with the summand.
float with_summand(float v, const Summand& summand, OnednnCode code, Trace* trace) {
  if (code == OnednnCode::reference || code == OnednnCode::gemm) {
    const float product = step(trace, "summand", summand.scale * summand.steps, "its scale * its steps, float32");
    return step(trace, "with summand", v + product, "v + summand, float32");
  }
  return step(trace, "with summand", std::fma(summand.scale, summand.steps, v),
              "v + its scale * its steps, float32, one rounding (fma)");
}

// Returns the value before requantization, in real units.
float value_of(const Window& window, OnednnCode code, OnednnScales scales, const Summand* summand, Trace* trace) {
  float v = real(window, code, scales, raw_sum(window, code, trace), trace);
  if (window.bias) {
    step(trace, "bias", *window.bias, "as it is, in real units");
    v = step(trace, "with bias", v + *window.bias, "real + bias, float32");
  }
  if (summand != nullptr) v = with_summand(v, *summand, code, trace);
  return window.relu == Relu::on ? with_relu(v, code, trace) : v;
}

// Returns the byte of a value in real units.
std::uint8_t requantized_byte(const Window& window, OnednnCode code, OnednnScales scales, float v, Trace* trace) {
  const float shifted = with_stored_zero_point(window, scaled(window, code, scales, v, trace), trace);
  const auto lowest = static_cast<float>(-window.output_shift);
  const float rounded = step(trace, "rounded", ties_to_even(clamped(shifted, lowest, lowest + 255.0F, code)),
                             "clamp to 0..255, NaN is 255 with VNNI and 0 without; to nearest, ties to even");
  return step(trace, "result", static_cast<std::uint8_t>(static_cast<std::int64_t>(rounded) + window.output_shift),
              "as uint8");
}

// Returns the code of onednn::qlinear_pointwise. An int8 activation is passed as it is, unlike in convolutions.
OnednnCode linear_pointwise_code(const ConvCase& c, const Hardware& hardware) {
  const bool int8 = c.activation_type == ActivationType::int8;
  if (onednn_has_vnni(hardware)) {
    if (hardware.libtorch < kScaleByScale) return int8 ? OnednnCode::matmul_reciprocal : OnednnCode::matmul_product;
    return int8 ? OnednnCode::matmul_reference : OnednnCode::matmul;
  }
  if (hardware.avx512) return int8 ? OnednnCode::matmul_reference : OnednnCode::matmul_avx512;
  // oneDNN adds 128 to an int8 activation for its instructions, which take uint8.
  const bool pairs = !int8 || stored_activation_zero_point(c) == 0;
  return pairs ? OnednnCode::matmul_blocks : OnednnCode::matmul_exact;
}

// True if the scratch memory of code that copies its input may exceed 64 times the size of the tensors. oneDNN then
// runs its reference code. All observed cases had tensors of less than 1,500 bytes in total.
bool has_small_tensors(const ConvCase& c) {
  return element_count(activation_shape(c)) + element_count(weight_shape(c)) + element_count(output_shape(c)) < 4096;
}

}  // namespace

OnednnCode onednn_code(const ConvCase& c, const Hardware& hardware, OnednnScales scales) {
  if (is_linear(c) && scales == OnednnScales::as_given) return linear_pointwise_code(c, hardware);
  if (is_linear(c)) {
    const bool by_product = hardware.libtorch < kScaleByScale;
    const bool vnni = onednn_has_vnni(hardware);
    if (by_product) return vnni ? OnednnCode::matmul_product : OnednnCode::matmul_blocks;
    if (!vnni && !hardware.avx512) return OnednnCode::matmul_pairs;
    if (c.activation_zero_point != 0) return OnednnCode::matmul_reference;
    return vnni ? OnednnCode::matmul : OnednnCode::matmul_avx512;
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
  return requantized_byte(window, code, scales, value_of(window, code, scales, nullptr, trace), trace);
}

float onednn_value(const Window& window, OnednnCode code, const Summand* summand, Trace* trace) {
  return value_of(window, code, OnednnScales::as_given, summand, trace);
}

std::uint8_t onednn_byte(const Window& window, OnednnCode code, float value, Trace* trace) {
  return requantized_byte(window, code, OnednnScales::as_given, value, trace);
}

}  // namespace tieout
