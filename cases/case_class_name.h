#pragma once
// Classes of cases: what is known to tell implementations apart. props/case_class tells which of them a case reaches.

#include <cstddef>
#include <string_view>

namespace tieout {

enum class CaseClass {
  tie,                  // a value before rounding exactly between two integers
  beside_tie,           // one or two floats away from there
  pair_saturation,      // a pair of products that does not fit int16, on a path where that matters
  sum_beyond_2_24,      // an accumulator that float32 cannot hold
  int32_wrap,           // a sum that does not fit int32
  conversion_overflow,  // a value before rounding that does not fit int32
  int16_saturation,     // one that fits int32, but not int16
  clamped_low,
  clamped_high,
  interior,           // a result strictly between the clamps
  zero_point_at_end,  // of the activation or the output: 0 or 255
  weight_zero_point,  // not 0
  bias,
  padded,  // padding that differs from raw zero
  dilated,
  grouped,
  per_channel,
  relu,
  odd_channels,  // not a multiple of 8: the tails of vectors
  large_batch,   // more than one image
  tie_with_bias,
  strided,
  one_dimensional,
  three_dimensional,
  large_kernel,              // in depthwise code: an extent of 5 or 7
  mixed_kernel,              // in depthwise code: the depth's extent another than the others
  two_outputs_a_channel,     // in depthwise code
  activation_sum_saturated,  // in depthwise code: beyond 32767, with a weight zero point
  enlarging,                 // a multiplier above 1
  channels_last,
  several_threads,
  forced_isa,
  other_engine,  // not FBGEMM by its own name
};
inline constexpr std::size_t kCaseClasses = 33;

[[nodiscard]] std::string_view name(CaseClass c);

}  // namespace tieout
