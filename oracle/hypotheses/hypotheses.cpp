#include <algorithm>
#include <array>

#include "oracle/element/for_each_window.h"
#include "oracle/engines/engine_model.h"
#include "oracle/hypotheses/dequantized.h"
#include "oracle/hypotheses/hypothesis_bias.h"
#include "oracle/hypotheses/hypothesis_fixed_point.h"
#include "oracle/hypotheses/hypothesis_integer.h"
#include "oracle/hypotheses/hypothesis_multiplier.h"
#include "oracle/hypotheses/hypothesis_ncnn.h"
#include "oracle/hypotheses/hypothesis_onnxruntime.h"
#include "oracle/hypotheses/hypothesis_order.h"
#include "oracle/hypotheses/hypothesis_rounding.h"
#include "oracle/hypotheses/hypothesis_tensorrt.h"
#include "oracle/hypotheses/hypothesis_wide.h"
#include "oracle/hypotheses/hypothesis_xnnpack.h"

namespace tieout {
namespace {

std::uint8_t onednn(const Window& window, Trace* trace) {
  return onednn_model(window, onednn_code(*window.spec, kVnniCpu), OnednnScales::inverted_twice, trace);
}

std::uint8_t onednn_int16_pairs(const Window& window, Trace* trace) {
  return onednn_model(window, onednn_code(*window.spec, kAvx2Cpu), OnednnScales::inverted_twice, trace);
}

std::uint8_t onednn_pointwise(const Window& window, Trace* trace) {
  return onednn_model(window, onednn_code(*window.spec, kVnniCpu, OnednnScales::as_given), OnednnScales::as_given,
                      trace);
}

std::uint8_t onednn_pointwise_int16_pairs(const Window& window, Trace* trace) {
  return onednn_model(window, onednn_code(*window.spec, kAvx2Cpu, OnednnScales::as_given), OnednnScales::as_given,
                      trace);
}

std::int32_t onednn_sum_of_int16_pairs(const Window& window, Trace* trace) {
  return onednn_sum(window, onednn_code(*window.spec, kAvx2Cpu), trace);
}

// LibTorch's default engine on a CPU with VNNI: it delegates a layer to ONEDNN or to FBGEMM as a whole.
std::uint8_t x86(const Window& window, Trace* trace) {
  const ConvCase& c = *window.spec;
  if (x86_picks(c, kVnniCpu) == Engine::onednn) return onednn(window, trace);
  return fbgemm_model(window, fbgemm_arithmetic(fbgemm_path(c, kVnniCpu), Isa::native, kVnniCpu), trace);
}

using Distance = Hypothesis::Distance;
using Reads = Hypothesis::Reads;

constexpr std::array kHypotheses{
    Hypothesis{"manual_output_1", "dequantized, summed and scaled in float64; relu, then rounded",
               "the document's script", manual_output_1, Distance::activations, Reads::products, nullptr},
    Hypothesis{"manual_output_2", "dequantized, summed and scaled in float32; rounded, then relu",
               "the document's script", manual_output_2, Distance::float_sum, Reads::products, nullptr},
    Hypothesis{"integer_float32", "summed in int32, requantized in float32", "FBGEMM with VNNI", integer_float32,
               Distance::roundings},
    Hypothesis{"integer_separate_bias", "as integer_float32, the bias of per-tensor weights added with two roundings",
               "FBGEMM where the compiler does not fuse", integer_separate_bias, Distance::roundings},
    Hypothesis{"integer_int16_pairs",
               "neighbouring products added in saturating int16, those in int32; requantized in float32",
               "FBGEMM without VNNI (vpmaddubsw)", integer_int16_pairs, Distance::pairs, Reads::products,
               sum_of_int16_pairs},
    Hypothesis{"integer_depthwise",
               "as integer_int16_pairs; sum(x) at most 32767, the bias as in integer_separate_bias",
               "FBGEMM's depthwise code", integer_depthwise, Distance::pairs, Reads::products, depthwise_sum},
    Hypothesis{"int16_saturating", "summed in int16, saturating; requantized in float32", "16-bit accumulators",
               int16_saturating, Distance::anywhere, Reads::products, int16_saturating_sum},
    Hypothesis{"int16_wrapping", "summed in int16, wrapping; requantized in float32", "16-bit accumulators",
               int16_wrapping, Distance::anywhere, Reads::products, int16_wrapping_sum},
    Hypothesis{"integer_float64", "summed exactly, requantized in float64", "reference implementations in a wider type",
               integer_float64, Distance::roundings},
    Hypothesis{"integer_exact", "summed and scaled without rounding, by scales as float32 has them; ties to even",
               "the definition of the operator", integer_exact, Distance::roundings},
    Hypothesis{"integer_exact_float64_scales", "the same by scales as float64 has them",
               "the definition of the operator", integer_exact_float64_scales, Distance::roundings},
    Hypothesis{"multiplier_weight_over_output", "as integer_float32, the multiplier is xs * (ws / os)",
               "another order of the same formula", multiplier_weight_over_output, Distance::roundings},
    Hypothesis{"multiplier_activation_over_output", "as integer_float32, the multiplier is (xs / os) * ws",
               "another order of the same formula", multiplier_activation_over_output, Distance::roundings},
    Hypothesis{"multiplier_reciprocal", "as integer_float32, the multiplier is (xs * ws) * (1 / os)",
               "compilers that divide by multiplying", multiplier_reciprocal, Distance::roundings},
    Hypothesis{"multiplier_float64", "as integer_float32, the multiplier is computed in float64 and rounded once",
               "another type for the same formula", multiplier_float64, Distance::roundings},
    Hypothesis{"zero_point_first", "as integer_float32, the zero point added before rounding",
               "another order of the same formula", zero_point_first, Distance::roundings},
    Hypothesis{"relu_first", "as integer_float32, relu on the sum before it is scaled",
               "another order of the same formula", relu_first, Distance::roundings},
    Hypothesis{"relu_at_zero", "as integer_float32, relu as if 0 were stored as 0", "a zero point that is forgotten",
               relu_at_zero, Distance::anywhere},
    Hypothesis{"bias_int32", "as integer_float32, the bias rounded to int32 and added to the sum",
               "formats that store the bias as int32", bias_int32, Distance::nearest_bias},
    Hypothesis{"bias_int32_half_away", "the same, ties of the bias away from zero",
               "formats that store the bias as int32", bias_int32_half_away, Distance::nearest_bias},
    Hypothesis{"bias_int32_truncated", "the same, the bias rounded toward zero", "formats that store the bias as int32",
               bias_int32_truncated, Distance::truncated_bias},
    Hypothesis{"bias_after_scaling", "as integer_float32, the bias added after scaling, in output steps",
               "another order of the same formula", bias_after_scaling, Distance::roundings},
    Hypothesis{"round_half_away", "as integer_float32, ties away from zero", "std::round", round_half_away,
               Distance::roundings},
    Hypothesis{"round_half_up", "as integer_float32, ties up", "floor(v + 0.5)", round_half_up, Distance::roundings},
    Hypothesis{"round_half_down", "as integer_float32, ties down", "ceil(v - 0.5)", round_half_down,
               Distance::roundings},
    Hypothesis{"round_toward_zero", "as integer_float32, rounded toward zero", "a conversion to int", round_toward_zero,
               Distance::anywhere},
    Hypothesis{"round_down", "as integer_float32, rounded down", "a shift to the right", round_down,
               Distance::anywhere},
    Hypothesis{"gemmlowp", "int32 bias, fixed-point multiplier of float(xs * ws) / os, rounded twice",
               "gemmlowp, and TensorFlow Lite at first", gemmlowp, Distance::twice_rounded},
    Hypothesis{"tflite", "int32 bias, fixed-point multiplier of xs * ws / os, rounded twice",
               "TensorFlow Lite's own reference kernels, not XNNPACK, which it calls by default; CMSIS-NN; TOSA",
               tflite, Distance::twice_rounded},
    Hypothesis{"tflite_single_rounding", "int32 bias, fixed-point multiplier of xs * ws / os, rounded once",
               "TensorFlow Lite's own kernels with TFLITE_SINGLE_ROUNDING, and ruy's; CMSIS-NN and TOSA alike",
               tflite_single_rounding, Distance::nearest_bias},
    Hypothesis{"xnnpack", "int32 bias as TensorFlow Lite stores it, requantized in float32, limited before rounding",
               "XNNPACK, and TensorFlow Lite and ExecuTorch, which call it", xnnpack, Distance::nearest_bias},
    Hypothesis{
        "xnnpack_rndnu", "int32 bias, fixed-point multiplier of float(float(xs * ws) / os), rounded once, ties up",
        "XNNPACK on ARM with uint8 activations; from its source, not run", xnnpack_rndnu, Distance::nearest_bias},
    Hypothesis{"tvm", "int32 bias, fixed-point multiplier of float(xs * ws) / os, rounded once, ties up",
               "TVM's qnn.requantize with rounding UPWARD, its default; from its source, not run", tvm,
               Distance::nearest_bias},
    Hypothesis{"tvm_to_nearest", "the same, ties away from zero",
               "TVM's qnn.requantize with rounding TONEAREST; from its source, not run", tvm_to_nearest,
               Distance::nearest_bias},
    Hypothesis{"ncnn", "inverse scales, dequantized with a float bias, ties away from zero, at most 127 from oz",
               "ncnn's int8 convolutions; from its source", ncnn, Distance::anywhere},
    Hypothesis{"tensorrt", "as bias_after_scaling, the bias added with one rounding; nothing overflows",
               "TensorRT, whose code is not public; from its documentation, not run", tensorrt, Distance::roundings},
    Hypothesis{"onnxruntime", "int32 bias, requantized in float32, clamped before rounding",
               "ONNX Runtime's QLinearConv with VNNI", onnxruntime, Distance::nearest_bias},
    Hypothesis{"onnxruntime_int16_pairs",
               "as onnxruntime, neighbouring products added in saturating int16 unless depthwise",
               "ONNX Runtime's QLinearConv without VNNI", onnxruntime_int16_pairs, Distance::anywhere, Reads::products,
               onnxruntime_sum_of_int16_pairs},
    Hypothesis{"onednn", "summed in int32; float32, scale by scale, zero point before rounding",
               "LibTorch's ONEDNN engine with VNNI", onednn, Distance::roundings},
    Hypothesis{"onednn_int16_pairs", "as onednn, neighbouring products of a kernel position added in saturating int16",
               "LibTorch's ONEDNN engine without VNNI", onednn_int16_pairs, Distance::tap_pairs, Reads::products,
               onednn_sum_of_int16_pairs},
    Hypothesis{"onednn_pointwise", "as onednn, with the scales as they are, not as reciprocals of their reciprocals",
               "LibTorch's onednn::qconvNd_pointwise with VNNI", onednn_pointwise, Distance::roundings},
    Hypothesis{"onednn_pointwise_int16_pairs", "as onednn_int16_pairs, with the scales as they are",
               "LibTorch's onednn::qconvNd_pointwise without VNNI", onednn_pointwise_int16_pairs, Distance::tap_pairs,
               Reads::products, onednn_sum_of_int16_pairs},
    Hypothesis{"onednn_output_scale",
               "summed in int32; the bias in units of the sum, one multiplier, zero point and clamp before rounding",
               "oneDNN 2 called directly, with one output scale", onednn_output_scale, Distance::roundings},
    Hypothesis{"x86", "onednn where every weight zero point is 0 and groups are at most 100, else as FBGEMM with VNNI",
               "LibTorch's X86 engine, its default", x86, Distance::pairs},
    Hypothesis{"qnnpack", "summed in int32, bias rounded to int32, requantized in float32", "LibTorch's QNNPACK engine",
               qnnpack_model, Distance::nearest_bias},
};

}  // namespace

std::span<const Hypothesis> hypotheses() { return kHypotheses; }

const Hypothesis* find_hypothesis(std::string_view name) {
  const auto found =
      std::find_if(kHypotheses.begin(), kHypotheses.end(), [&](const Hypothesis& h) { return h.name == name; });
  return found == kHypotheses.end() ? nullptr : &*found;
}

bool applies_to(const Hypothesis& hypothesis, const ConvCase& c) {
  return c.output_type != OutputType::int32 || hypothesis.sum != nullptr;
}

std::int32_t output_of(const Hypothesis& hypothesis, const Window& window, Trace* trace) {
  const bool is_sum = window.spec->output_type == OutputType::int32;
  return is_sum ? hypothesis.sum(window, trace) : hypothesis.evaluate(window, trace);
}

Answers evaluate(const Hypothesis& hypothesis, const ConvProblem& problem) {
  // Rules that depend on the shape are those of LibTorch's operators, which pad both sides alike.
  if (!has_even_padding(problem.spec)) return evaluate(hypothesis, with_even_padding(problem));
  return for_each_window(problem, [&](const Window& window) { return output_of(hypothesis, window, nullptr); });
}

}  // namespace tieout
