#include <algorithm>
#include <array>

#include "oracle/dequantized.h"
#include "oracle/each_window.h"
#include "oracle/engine_model.h"
#include "oracle/hypothesis_integer.h"

namespace tieout {
namespace {

constexpr std::array kHypotheses{
    Hypothesis{"manual_output_1", "dequantized, summed and scaled in float64; relu, then rounded",
               "the document's script", manual_output_1},
    Hypothesis{"manual_output_2", "dequantized, summed and scaled in float32; rounded, then relu",
               "the document's script", manual_output_2},
    Hypothesis{"integer_float32", "summed in int32, requantized in float32", "FBGEMM with VNNI", integer_float32},
    Hypothesis{"integer_separate_bias", "as integer_float32, the bias added with two roundings",
               "FBGEMM where the compiler does not fuse", integer_separate_bias},
    Hypothesis{"integer_int16_pairs", "neighbouring products added in saturating int16, those in int32; float32",
               "FBGEMM without VNNI (vpmaddubsw)", integer_int16_pairs},
    Hypothesis{"integer_depthwise", "as integer_int16_pairs, sum(x) at most 32767, the bias with two roundings",
               "FBGEMM's depthwise code", integer_depthwise},
    Hypothesis{"int16_saturating", "summed in int16, saturating; float32", "16-bit accumulation", int16_saturating},
    Hypothesis{"int16_wrapping", "summed in int16, wrapping; float32", "16-bit accumulation", int16_wrapping},
    Hypothesis{"onednn", "summed in int32; float32, scale by scale, zero point before rounding",
               "LibTorch's ONEDNN engine", onednn_model},
    Hypothesis{"qnnpack", "summed in int32, bias rounded to int32, requantized in float32", "LibTorch's QNNPACK engine",
               qnnpack_model},
};

}  // namespace

std::span<const Hypothesis> hypotheses() { return kHypotheses; }

const Hypothesis* find_hypothesis(std::string_view name) {
  const auto found =
      std::find_if(kHypotheses.begin(), kHypotheses.end(), [&](const Hypothesis& h) { return h.name == name; });
  return found == kHypotheses.end() ? nullptr : &*found;
}

Tensor<std::uint8_t> evaluate(const Hypothesis& hypothesis, const ConvProblem& problem) {
  return each_window(problem, [&](const Window& window) { return hypothesis.evaluate(window, nullptr); });
}

}  // namespace tieout
