#pragma once
// How near to a tie the exact value of an element must be for a hypothesis to say otherwise: by output channel, derived.
//
// u = 2^-24 is the relative error of a rounding to float32. The exact value is s = (raw * xs * ws + bias) / os, in steps of
// the output; the output's zero point is added afterwards. |x|, |w|: Euclidean norms of what is quantized, (x - xz) of the
// element's window and (w - wz) of the channel.
//
//   roundings     16 roundings of a value that is put together of raw * M, bias * M and oz cover every such hypothesis
//                 (onednn: 12), and 8 more those of this code itself: kSlope * |s| + near, where near is kSlope times
//                 2 * |bias * M| + oz + 2.
//   activations   x is rounded to float32, each by u at most: u * M * sum |x w| <= u * M * |x| |w| (Cauchy and Schwarz).
//   running       manual_output_2. Its products x' w' (1 + d) round x, w, the product and the scales, 5 times u together at most.
//                 Of the computed sums T_j each is T_(j-1) plus a product, off by u * |T_j| at most, so that E, the largest
//                 |T_j - S_j|, is at most  u * sum over j of (|S_j| + E)  +  5 * u * sum of |x_i w_i|,  hence
//                   v * (sum over j of |S_j|  +  5 * sum of |x_i w_i|),   v = u / (1 - (n + 5) * u),  n products.
//                 Nothing underflows where the channel is tame. Bias, division and rounding are among the roundings above.
//   float_sum     The same without looking at any S_j but the last, which is raw. A sum of the first half is at most the sum of
//                 the |x_i w_i| up to it, one of the second half at most |raw| and the sum of those behind it: with m products
//                 in the first half and d_i = m - i + 1 there, i - m - 1 in the second one,
//                   sum over j of |S_j|  <=  sum of d_i * |x_i w_i|  +  (n - m) * |raw|,
//                 hence  v * |x| * |(d_i + 5) * w_i|  and, in steps of the output, `half` * |raw * M|. Long sums of signs that
//                 alternate are mostly small on their way: where float_sum grows by n^2, running grows by n^1.5.
//   whole biases  The exact value of another s, shifted by (b - bias / A) * M for the integer b. Hypotheses compute b in
//                 different precisions: where bias / A is so near to where b changes that they could disagree, the shift
//                 is not known, and everything within 2.5 M of a tie is looked at.
//   twice_rounded high = floor(v + 1/2), v = raw * M * 2^e, is rounded to a multiple of 2^e, halves away from 0. For s > 0
//                 that reaches n just where s + 2^-(e + 1) reaches n - 1/2, since (n - 1/2) * 2^e is an integer for
//                 e >= 1; for s < 0 likewise with s - 2^-(e + 1). So it is the value moved by that, rounded once. e comes
//                 from frexp(M), and is not known where M is next to a power of two.

#include <cstdint>
#include <vector>

#include "cases/layer_view.h"
#include "oracle/vector_isa.h"

namespace tieout {

// Of a layer's activations, padding among them.
struct ActivationRange {
  int lowest = 0, highest = 0;
};

struct ChannelBounds {
  static constexpr double kSlope = 24 * 0x1p-24;

  bool tame = false;  // nothing overflows, vanishes or wraps, and raw is the exact sum: else everything is literal
  bool nearest_known = false, truncated_known = false;  // the shifts below
  double multiplier = 0, bias = 0;                      // s = raw * multiplier + bias, within what `near` allows for
  double near = 0;                                      // on top of kSlope * |s|
  double activations = 0;                               // on top of `near`, by |x|
  double float_sum = 0;                                 // likewise; and `half` by |raw * M|
  double running = 0;                          // likewise, by the sum of |S_j| and 5 * |x| * norm, in units of raw
  double half = 0;                             // the same for all channels
  double norm = 0;                             // |w|
  double nearest = 0, truncated = 0;           // shifts of s by a whole bias
  double twice = 0;                            // 2^-(e + 1), on top of `nearest` and away from 0
  static constexpr double kUnknownBias = 2.5;  // units of raw: 1 for the bias, 1 for a product rounded twice
};

// One for each output channel, whatever the activations.
[[nodiscard]] std::vector<ChannelBounds> channel_bounds(const ConvCase& c, const std::int8_t* weight,
                                                        VectorIsa isa = best_vector_isa());

}  // namespace tieout
