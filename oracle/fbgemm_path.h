#pragma once
// Which of FBGEMM's code paths a case takes, and how that path sums up its products. Pure prediction: LibTorch is not
// asked here, and a property compares the prediction with what LibTorch itself says (LibTorch::fbgemm_path).

#include <string_view>

#include "cases/conv_case.h"

namespace tieout {

enum class FbgemmPath { depthwise, groupwise, pointwise, im2col };

[[nodiscard]] std::string_view name(FbgemmPath path);

// What the CPU has, whatever FBGEMM is forced to: some of its code asks the CPU and not the forced instruction set.
struct Hardware {
  bool avx512 = false;  // F, BW, DQ, VL
  bool avx512_vnni = false;
  bool avx_vnni = false;  // of 256 bits, on CPUs without AVX-512 too: oneDNN has code for it, FBGEMM has none
  bool amx_int8 = false;  // tiles: oneDNN has code for them, FBGEMM has none

  bool operator==(const Hardware&) const = default;
};

// The first that matches (2-d and 3-d; a 1-d convolution is a 2-d one of height 1):
//   depthwise  one input channel a group, one or two output channels; groups a multiple of 8; every kernel extent 3, 5
//              or 7, height and width alike; every stride 1 or 2; dilation 1; padding (kernel - 1) / 2
//   groupwise  2, 4, 8 or 16 channels in and as many out a group; at least as many groups as fill a vector register;
//              every kernel extent 3, padding 1, dilation 1; height and width stride both 1 or both 2
//   pointwise  1x1, stride 1, no padding, dilation 1; any groups
//   im2col     the rest
[[nodiscard]] FbgemmPath fbgemm_path(const ConvCase& c, const Hardware& hardware);

// How many groups the groupwise code takes at a time: what fills a vector register.
[[nodiscard]] std::int64_t fbgemm_groups_together(const ConvCase& c, const Hardware& hardware);

// What FBGEMM computes on that path. isa: what it is forced to, or native for the best that the hardware has.
//   depthwise  int16 pairs on every machine (it has AVX2 code only); sums of activations saturate at 32767, which takes
//              129 taps, so 3-d kernels; the bias of per-tensor weights is added with two roundings
//   groupwise  int16 pairs where the hardware has no VNNI, whatever is forced
//   otherwise  int16 pairs where VNNI is absent or not forced
[[nodiscard]] Arithmetic fbgemm_arithmetic(FbgemmPath path, Isa isa, const Hardware& hardware);

}  // namespace tieout
