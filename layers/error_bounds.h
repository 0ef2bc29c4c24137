#pragma once
// Provides error bounds for each output channel: how far a hypothesis' value before rounding can be from the exact
// value. A hypothesis can give another output than the exact value only at elements whose exact value is within that
// distance of a tie. The bounds are derived here.
//
// u = 2^-24 is the relative error of a rounding to float32. The exact value is s = (raw * xs * ws + bias) / os, in
// steps of the output; the output's zero point is added afterwards. |x| and |w| are Euclidean norms of the quantized
// numbers: of (x - xz) over the element's window and of (w - wz) over the channel. M is the multiplier, n the number of
// products.
//
//   roundings     16 roundings of a value that is composed of raw * M, bias * M and oz suffice for every hypothesis of
//                 this kind (onednn takes 12), and 8 more for the roundings of this code itself. The bound is
//                 kSlope * |s| + near, where near is kSlope times 2 * |bias * M| + oz + 2.
//   activations   Each x is rounded to float32, by u at most:
//                 u * M * sum |x w| <= u * M * |x| |w| (Cauchy and Schwarz).
//   running       For manual_output_2. Its products x' w' (1 + d) round x, w, the product and the scales, together by
//                 5 times u at most. Each computed sum T_j is T_(j-1) plus a product, rounded by u * |T_j| at most, so
//                 that E, the largest |T_j - S_j|, is at most
//                   u * sum over j of (|S_j| + E)  +  5 * u * sum of |x_i w_i|,  hence at most
//                   v * (sum over j of |S_j|  +  5 * sum of |x_i w_i|),   v = u / (1 - (n + 5) * u).
//                 Nothing underflows if the channel is bounds_hold. Bias, division and rounding are among the roundings
//                 above.
//   float_sum     The same without the partial sums S_j, except for the last one, which is raw. A partial sum in the
//                 first half is at most the sum of the |x_i w_i| up to it; one in the second half is at most |raw| plus
//                 the sum of those behind it. With m products in the first half, d_i = m - i + 1 in the first half and
//                 d_i = i - m - 1 in the second half,
//                   sum over j of |S_j|  <=  sum of d_i * |x_i w_i|  +  (n - m) * |raw|,
//                 hence the bound  v * |x| * |(d_i + 5) * w_i|  and, in steps of the output, `half` * |raw * M|.
//                 The partial sums of long sums with alternating signs are mostly small: float_sum grows with n^2,
//                 running with n^1.5.
//   whole biases  The hypothesis follows the exact value of another s, shifted by (b - bias / A) * M for the integer
//                 bias b. Hypotheses compute b in different precisions. If bias / A is so near to a value where b
//                 changes that they could disagree, the shift is not known, and all elements within 2.5 M of a tie are
//                 evaluated.
//   twice_rounded high = floor(v + 1/2), v = raw * M * 2^e, is rounded to a multiple of 2^e, halves away from 0. For
//                 s > 0 the result reaches n exactly where s + 2^-(e + 1) reaches n - 1/2, since (n - 1/2) * 2^e is an
//                 integer for e >= 1; for s < 0 the same holds for s - 2^-(e + 1). So the result is that shifted value,
//                 rounded once. e comes from frexp(M), and is not known if M is next to a power of two.

#include <cstdint>
#include <vector>

#include "cases/layer_view.h"
#include "cases/machine/cpu.h"

namespace tieout {

// The lowest and the highest activation of a layer, including padding.
struct ActivationRange {
  int lowest = 0, highest = 0;
};

// The bounds of one output channel, in steps of the output.
struct ChannelBounds {
  static constexpr double kSlope = 24 * 0x1p-24;

  // True if nothing overflows, underflows or wraps, so that raw is the exact sum and the bounds hold. Otherwise all
  // hypotheses are evaluated literally.
  bool bounds_hold = false;
  bool nearest_known = false, truncated_known = false;  // whether the shifts below are known
  // s = raw * multiplier + bias, up to roundings that `near` covers.
  double multiplier = 0, bias = 0;
  double near = 0;         // added to kSlope * |s|
  double activations = 0;  // added to `near`, times |x|
  // Added to `near`, times |x|; and `half`, times |raw * M|.
  double float_sum = 0;
  // Added to `near`, times the sum of |S_j| and 5 * |x| * norm, in units of raw.
  double running = 0;
  double half = 0;                    // the same for all channels
  double norm = 0;                    // |w|
  double nearest = 0, truncated = 0;  // shifts of s by a whole bias
  double twice = 0;                   // 2^-(e + 1), added to `nearest`, away from 0
  // Half the width of the interval for an unknown shift, in units of raw: 1 for the bias, 1 for a product rounded
  // twice.
  static constexpr double kUnknownBias = 2.5;
};

// Returns the bounds of every output channel, which hold for all activations. weight: K x C/groups x kernel.
[[nodiscard]] std::vector<ChannelBounds> channel_bounds(const ConvCase& c, const std::int8_t* weight,
                                                        SimdIsa isa = best_simd_isa());

}  // namespace tieout
