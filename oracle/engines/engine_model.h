#pragma once
// Predicts what the engines of LibTorch 2.9 to 2.15 compute on x86-64, bit for bit, and when they refuse a case; the
// version is part of Hardware. No function here calls LibTorch. Known defects of the engines are listed in
// oracle/engines/known_defects.h; these models give the result without them.
//
// fl() rounds to float32, nearest even; RNE rounds to an integer, ties to even; integers are int32 and wrap.

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "oracle/element/trace.h"
#include "oracle/element/window.h"
#include "oracle/engines/fbgemm_path.h"

namespace tieout {

// FBGEMM (engine_fbgemm.cpp). A = fl(fl(xs) * fl(ws)), M = fl(A / fl(os)).
//   acc = sum(x * w), in int16 pairs if the arithmetic has them
//   raw = acc - xz * sum(w) - wz * sum(x) + n * xz * wz
//   f   = fl(raw), with a bias:  per channel            fl(f + fl(b / A))
//                                per tensor, fused      fma(b, fl(1 / A), f)
//                                per tensor, separate   fl(f + fl(b * fl(1 / A)))     depthwise, from LibTorch 2.14 on
//         with an int32 bias, which FBGEMM takes when it is called directly: fl(raw + b), the sum wrapped
//   q   = int32(RNE(fl(f * M))), where NaN, s >= 2^31 and s < -2^31 are INT32_MIN
//   y   = clamp(sat_int16(sat_int16(q) + oz), 0, 255); relu: max(y, oz)
[[nodiscard]] std::uint8_t fbgemm_model(const Window& window, const Arithmetic& arithmetic, Trace* trace);
// Returns raw.
[[nodiscard]] std::int32_t fbgemm_sum(const Window& window, const Arithmetic& arithmetic, Trace* trace);

// The implementations that oneDNN chooses between, as far as their results differ. oracle/README.md describes them.
enum class OnednnCode {
  // With VNNI: all convolutions except those of vnni_product. With AVX-512 but no VNNI: 1-d and 2-d depthwise ones.
  vnni,
  // With VNNI: 3-d depthwise convolutions with a dilation. Before LibTorch 2.11, all convolutions of `vnni`.
  vnni_product,
  // With AMX, where oneDNN's heuristics prefer it: any convolution except depthwise ones.
  amx,
  avx512_pairs,          // with AVX-512 but no VNNI: convolutions that are not depthwise, from LibTorch 2.11 on
  avx512_pairs_product,  // the same before LibTorch 2.11
  avx512_gemm,           // with AVX-512 but no VNNI: 3-d depthwise convolutions
  depthwise,             // without AVX-512 and VNNI: 1-d and 2-d depthwise convolutions
  // Without AVX-512 and VNNI: one group, 1x1, no padding; every stride is 1 or, in 1-d and 2-d, divides the input.
  pointwise,
  // Without AVX-512 and VNNI: other convolutions with one group, or with multiples of 4 input and 4 output channels per
  // group.
  int16_pairs,
  reference,  // without AVX-512 and VNNI: all other convolutions, from LibTorch 2.11 on
  // The same before LibTorch 2.11.
  gemm,
  // Linear layers.
  matmul,             // with VNNI, if the activation's zero point is 0
  matmul_reference,   // with VNNI or AVX-512, all other linear layers
  matmul_product,     // with VNNI, before LibTorch 2.11: all linear layers
  matmul_pairs,       // without AVX-512 and VNNI
  matmul_blocks,      // without VNNI, before LibTorch 2.11
  matmul_avx512,      // with AVX-512 but no VNNI: if the activation's zero point is 0
  matmul_exact,       // without AVX-512 and VNNI: qlinear_pointwise with an int8 activation whose zero point is not 0
  matmul_reciprocal,  // with VNNI, before LibTorch 2.11: qlinear_pointwise with an int8 activation
  // qlinear_pointwise takes these by the type of the activation: matmul (or matmul_avx512) for uint8 and
  // matmul_reference for int8; without AVX-512, matmul_blocks or matmul_exact; before LibTorch 2.11, with VNNI,
  // matmul_product for uint8 and matmul_reciprocal for int8.
};

// True if the code adds neighbouring channels in saturating int16.
[[nodiscard]] constexpr bool adds_in_pairs(OnednnCode code) {
  return code == OnednnCode::int16_pairs || code == OnednnCode::pointwise || code == OnednnCode::avx512_pairs ||
         code == OnednnCode::avx512_pairs_product || code == OnednnCode::avx512_gemm ||
         code == OnednnCode::matmul_pairs || code == OnednnCode::matmul_blocks || code == OnednnCode::matmul_avx512;
}

// States how an operator passes the scales of activation and output to oneDNN. oneDNN's code for convolutions is the
// same in both cases; for linear layers, the operators choose different code.
enum class OnednnScales {
  inverted_twice,  // quantized::convNd, quantized::linear: s' = fl(1 / fl(1 / s)), with the inner quotient in double
  as_given,        // onednn::qconvNd_pointwise, onednn::qlinear_pointwise: s' = fl(s)
};
[[nodiscard]] constexpr OnednnScales onednn_scales(Engine engine) {
  return engine == Engine::onednn_pointwise ? OnednnScales::as_given : OnednnScales::inverted_twice;
}

// True if oneDNN runs its VNNI code. AVX's VNNI is assumed to compute what AVX-512's does, which has not been measured.
[[nodiscard]] constexpr bool onednn_has_vnni(const Hardware& hardware) {
  return hardware.avx512_vnni || hardware.avx_vnni;
}
// Returns the code that oneDNN runs on the case, apart from AMX code: see onednn_other_code().
// scales: of the operator that is called.
[[nodiscard]] OnednnCode onednn_code(const ConvCase& c, const Hardware& hardware,
                                     OnednnScales scales = OnednnScales::inverted_twice);

// Returns the code that oneDNN may run instead for the whole output, or nullopt if onednn_code() is certain. oneDNN
// chooses between VNNI and AMX by estimates of speed and by the size of scratch memory, and so by the number of threads
// and the cache sizes; and it runs its reference code on small tensors if other code would need more scratch memory
// than a multiple of their size. These estimates are not predicted.
[[nodiscard]] std::optional<OnednnCode> onednn_other_code(const ConvCase& c, const Hardware& hardware);

// True if oneDNN computes what the engine returns: the engine is not X86.
[[nodiscard]] constexpr bool is_onednn(Engine engine) {
  return engine == Engine::onednn || engine == Engine::onednn_pointwise;
}

// oneDNN (engine_onednn.cpp), convolutions. xs' and os': by `scales`; inv = fl(1 / os').
//   acc = sum(x * w); int16_pairs, pointwise, avx512_pairs: neighbouring channels of one kernel position are added in
//         saturating int16 first, the last of an odd number alone; avx512_gemm: neighbouring positions; padding is 0 in
//         these pairs and is taken out exactly
//   f   = fl(acc - xz * sum(w)); pointwise: fl(fl(acc) - fl(xz * sum(w))); amx: the same over the taps inside
//         of the input
//   v   = fl(f * fl(xs' * fl(ws))); vnni, avx512_pairs, reference: fl(fl(f * xs') * fl(ws))
//   v   = fl(v + b); relu: v > 0 ? v : 0, so that NaN is 0; reference: v > 0 ? v : v * 0, so that -inf is NaN; gemm:
//   NaN stays v   = fl(fl(v * inv) + oz), the zero point before rounding; reference: fl(fl(v / os') + oz) y   =
//   RNE(clamp(v, 0, 255)); NaN is 255 with AVX-512, VNNI or AMX, 0 in other code
// An int8 output, which the operators of PyTorch 2 export return, is the same with the stored zero point and -128..127,
// except that NaN is -128 with AVX-512, VNNI or AMX and in pointwise, 0 in reference, and 127 in int16_pairs and
// depthwise. A weight zero point, which oneDNN refuses, is taken out together with xz. Linear layers: ws' = fl(1 / fl(1
// / ws)), with the inner quotient in double per tensor and in float32 per channel; qlinear_pointwise: ws' = fl(ws).
//   acc = sum(x * w); matmul_pairs: neighbouring features are added in saturating int16 first;
//         matmul_blocks: also, and within blocks: of 384 features from 768 on, of half of them from 257 on
//   f   = fl(acc - xz * sum(w))
//   v   = fl(fl(f * xs') * ws'); matmul_product, matmul_blocks: fl(f * fl(xs' * ws'))
//   v   = fl(v + b); relu as above, matmul_reference, matmul_reciprocal: as reference
//   v   = fl(fl(v * inv) + oz); matmul_reference: fl(fl(v / os') + oz); y = RNE(clamp(v, 0, 255)); NaN is 255 in matmul
[[nodiscard]] std::uint8_t onednn_model(const Window& window, OnednnCode code, OnednnScales scales, Trace* trace);

// What an operator of PyTorch 2 export adds to the sum, behind the bias and before relu: scale * steps. A float is
// added with the scale 1; a byte is the difference to its zero point.
struct Summand {
  float scale = 1;
  float steps = 0;
};
// Returns the value that the operators of PyTorch 2 export requantize, and return if their result is float32:
//   v as in onednn_model(), behind the bias
//   v = fma(scale, steps, v); reference, gemm: fl(v + fl(scale * steps))
//   relu as in onednn_model()
// summand: nullptr if nothing is added.
[[nodiscard]] float onednn_value(const Window& window, OnednnCode code, const Summand* summand, Trace* trace);
// Returns the byte that they return for that value.
[[nodiscard]] std::uint8_t onednn_byte(const Window& window, OnednnCode code, float value, Trace* trace);

// Returns f of code that adds in pairs or exactly, as an int32.
[[nodiscard]] std::int32_t onednn_sum(const Window& window, OnednnCode code, Trace* trace);

// QNNPACK with freshly packed weights (engine_qnnpack.cpp). M = fl(fl(fl(ws) * fl(xs)) * fl(1 / fl(os))).
//   bias = RNE(fl(b * fl(1 / fl(ws * xs)))), b = 0 without a bias; NaN (the value of 0 * inf) and values below int32
//          become INT32_MIN; values above become INT32_MAX for 1x1 kernels of stride 1 without padding, otherwise
//          INT32_MIN
//   raw  = sum(x * w) - xz * sum(w) - wz * sum(x) + n * xz * wz + bias
//   q    = int32(RNE(fl(fl(raw) * M)))
//   y    = clamp(sat_int16(sat_int16(q) + oz), 0, 255); relu: max(y, oz)
// Separate code for 3-d depthwise 3x3x3 convolutions computes q = int32(RNE(double(raw) * double(M))), and q + oz
// wraps.
[[nodiscard]] std::uint8_t qnnpack_model(const Window& window, Trace* trace);

// Returns the name of the hypothesis that models the engine on that hardware for every case of that operator. Returns
// an empty string for FBGEMM, whose model depends on the path, for X86, and if there is none.
[[nodiscard]] std::string_view hypothesis_of(Engine engine, Call call, const Hardware& hardware);

// Returns the engine that X86 delegates a case to: oneDNN if the CPU has AVX-512 VNNI, the case is a convolution of at
// most 100 groups and every weight zero point is 0; otherwise FBGEMM.
[[nodiscard]] Engine x86_picks(const ConvCase& c, const Hardware& hardware);

// Returns the engine that computes the case: the engine of its execution or, for X86, the one that X86 picks.
[[nodiscard]] Engine computing_engine(const ConvCase& c, const Hardware& hardware);

// Returns the arithmetic that FBGEMM uses on this case, with the instruction set of its execution.
[[nodiscard]] Arithmetic fbgemm_arithmetic(const ConvCase& c, const Hardware& hardware);

// Returns the output that `engine` computes, or would compute if it did not refuse the case. FBGEMM is forced to
// problem.spec.execution.isa. An int32 output is the sum that the engine requantizes.
[[nodiscard]] Answers predict(const ConvProblem& problem, Engine engine, const Hardware& hardware);

// Returns the whole output that `engine` computes if oneDNN runs onednn_other_code(), or nullopt without such code.
// Takes as long as predict(), so call it only where that prediction fails.
[[nodiscard]] std::optional<Answers> predict_other(const ConvProblem& problem, Engine engine, const Hardware& hardware);

// Returns the prediction of predict() or predict_other() that equals y, or else that of predict().
[[nodiscard]] Answers nearest_prediction(const ConvProblem& problem, Engine engine, const Hardware& hardware,
                                         const Answers& y);

// True if the engine of c.execution has no relu for convolutions of as many dimensions: PyTorch 2 export lowers 3-d
// convolutions without the relu that follows them.
[[nodiscard]] bool refuses_relu(const ConvCase& c);

// Returns the reason why the engine of c.execution throws on this valid case; empty if it computes a result.
[[nodiscard]] std::string_view refusal(const ConvCase& c, const Hardware& hardware);

}  // namespace tieout
