#pragma once
// What LibTorch 2.15.0's engines compute on x86-64, bit for bit, and when they refuse. Predictions: LibTorch is not asked
// here. Where an engine is known to answer wrongly, oracle/known_defects.h says so; these models say what it would be
// otherwise.
//
// fl() rounds to float32, nearest even; RNE rounds to an integer, ties to even; integers are int32 and wrap.

#include <cstdint>
#include <optional>
#include <string_view>

#include "oracle/fbgemm_path.h"
#include "oracle/hypothesis.h"

namespace tieout {

// FBGEMM (engine_fbgemm.cpp). A = fl(fl(xs) * fl(ws)), M = fl(A / fl(os)).
//   acc = sum(x * w), by pairs in int16 where the arithmetic says so
//   raw = acc - xz * sum(w) - wz * sum(x) + n * xz * wz
//   f   = fl(raw), with a bias:  per channel            fl(f + fl(b / A))
//                                per tensor, fused      fma(b, fl(1 / A), f)
//                                per tensor, separate   fl(f + fl(b * fl(1 / A)))
//   q   = int32(RNE(fl(f * M))), where NaN, s >= 2^31 and s < -2^31 are INT32_MIN
//   y   = clamp(sat_int16(sat_int16(q) + oz), 0, 255); relu: max(y, oz)
[[nodiscard]] std::uint8_t fbgemm_model(const Window& window, const Arithmetic& arithmetic, Trace* trace);

// Which of its codes oneDNN takes, as far as they differ in what they compute.
enum class OnednnCode {
  vnni,         // all but:
  vnni_gemm,    // 3-d depthwise convolutions with a dilation
  amx,          // with AMX, where oneDNN's heuristics prefer it: any convolution but a depthwise one
  depthwise,    // without VNNI: of one and two dimensions
  pointwise,    // one group, 1x1, no padding; strides are 1, or, but in 3-d, divide the input
  int16_pairs,  // otherwise one group, or a multiple of 4 channels a group, in and out
  reference,    // the rest
};

// Of channels, in saturating int16.
[[nodiscard]] constexpr bool adds_in_pairs(OnednnCode code) {
  return code == OnednnCode::int16_pairs || code == OnednnCode::pointwise;
}

// VNNI: AVX-512's; AVX's is taken for the same, and AVX-512 without VNNI for AVX2, which nobody here has seen.
[[nodiscard]] constexpr bool onednn_has_vnni(const Hardware& hardware) {
  return hardware.avx512_vnni || hardware.avx_vnni;
}
[[nodiscard]] OnednnCode onednn_code(const ConvCase& c, const Hardware& hardware);

// The code that oneDNN may take instead, for all of the output; nothing if onednn_code() is certain. oneDNN chooses between
// VNNI and AMX by estimates of speed and by the size of scratch memory, hence by the number of threads and the caches.
[[nodiscard]] std::optional<OnednnCode> onednn_other_code(const ConvCase& c, const Hardware& hardware);

// oneDNN (engine_onednn.cpp). xs' = fl(1 / fl(1 / xs)), os' likewise, inner quotients in double; inv = fl(1 / os').
//   acc = sum(x * w); int16_pairs, pointwise: neighbouring channels of one kernel position in saturating int16 first, an
//         odd last one alone, and none in padding, which is 0 there and taken out exactly
//   f   = fl(acc - xz * sum(w)); pointwise: fl(fl(acc) - fl(xz * sum(w))); amx: the same of the taps inside of the input
//   v   = fl(f * fl(xs' * fl(ws))); vnni, reference: fl(fl(f * xs') * fl(ws))
//   v   = fl(v + b); relu: v > 0 ? v : 0, so that NaN is 0; reference: NaN stays
//   v   = fl(fl(v * inv) + oz), the zero point before rounding; reference: fl(fl(v / os') + oz)
//   y   = RNE(clamp(v, 0, 255)); NaN is 255 with VNNI or AMX, 0 without
// A weight zero point, which oneDNN refuses, is taken out together with xz.
[[nodiscard]] std::uint8_t onednn_model(const Window& window, OnednnCode code, Trace* trace);

// QNNPACK with freshly packed weights (engine_qnnpack.cpp). M = fl(fl(fl(ws) * fl(xs)) * fl(1 / fl(os))).
//   bias = RNE(fl(b * fl(1 / fl(ws * xs)))), b = 0 where there is none; NaN, which is what 0 * inf is, and what lies below
//          int32 is INT32_MIN; what lies above is INT32_MAX for 1x1 kernels of stride 1 without padding, INT32_MIN else
//   raw  = sum(x * w) - xz * sum(w) - wz * sum(x) + n * xz * wz + bias
//   q    = int32(RNE(fl(fl(raw) * M)))
//   y    = clamp(sat_int16(sat_int16(q) + oz), 0, 255); relu: max(y, oz)
// A 3-d depthwise 3x3x3 convolution has code of its own: q = int32(RNE(double(raw) * double(M))), and q + oz wraps.
[[nodiscard]] std::uint8_t qnnpack_model(const Window& window, Trace* trace);

// The hypothesis that is the engine's model on that hardware, whatever the case; empty for FBGEMM, which has one for
// each path, and X86.
[[nodiscard]] std::string_view hypothesis_of(Engine engine, const Hardware& hardware);

// Which engine X86 hands a case to: oneDNN for at most 100 groups and weight zero points that are all 0 where the CPU has
// VNNI, else FBGEMM.
[[nodiscard]] Engine x86_picks(const ConvCase& c, const Hardware& hardware);

// The engine that computes the case: the one that it names, or what X86 picks.
[[nodiscard]] Engine computing_engine(const ConvCase& c, const Hardware& hardware);

// What FBGEMM computes on this case.
[[nodiscard]] Arithmetic fbgemm_arithmetic(const ConvCase& c, const Hardware& hardware);

// What `engine` answers, or would if it did not refuse. FBGEMM is forced to problem.spec.execution.isa.
[[nodiscard]] Tensor<std::uint8_t> predict(const ConvProblem& problem, Engine engine, const Hardware& hardware);

// What `engine` answers where oneDNN takes its other code, for the whole output; nothing where there is no such code. It
// takes as long as predict(): ask for it only where that prediction does not hold.
[[nodiscard]] std::optional<Tensor<std::uint8_t>> predict_other(const ConvProblem& problem, Engine engine,
                                                                const Hardware& hardware);

// Why the engine of c.execution throws on this valid case; empty if it answers.
[[nodiscard]] std::string_view refusal(const ConvCase& c, const Hardware& hardware);

}  // namespace tieout
