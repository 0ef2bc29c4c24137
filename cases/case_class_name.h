#pragma once
// Lists the classes of cases: the properties that are known to separate implementations. props/generate/case_class.h
// determines which of them a case has.

#include <cstddef>
#include <string_view>

namespace tieout {

enum class CaseClass {
  // A value before rounding lies exactly between two integers.
  tie,
  // A value before rounding lies one or two floats away from a tie.
  beside_tie,
  // A pair of products does not fit int16, on a path where that changes the result.
  pair_saturation,
  // float32 cannot represent an accumulator exactly.
  sum_beyond_2_24,
  // A sum does not fit int32.
  int32_wrap,
  // A value before rounding does not fit int32.
  conversion_overflow,
  // A value before rounding fits int32, but not int16.
  int16_saturation,
  clamped_low,
  clamped_high,
  // A result lies strictly between the clamps.
  interior,
  // The zero point of the activation or of the output is 0 or 255.
  zero_point_at_end,
  // A zero point of the weight is not 0.
  weight_zero_point,
  bias,
  // There is padding, and its value differs from a stored 0.
  padded,
  dilated,
  grouped,
  per_channel,
  relu,
  // A number of channels is not a multiple of 8, so that vector code needs a tail.
  odd_channels,
  // The batch has more than one image.
  large_batch,
  tie_with_bias,
  strided,
  one_dimensional,
  three_dimensional,
  // Depthwise code runs, and the kernel's width is more than 3.
  large_kernel,
  // Depthwise code runs, and the kernel's depth differs from its width.
  mixed_kernel,
  // Depthwise code runs, and each input channel has more than one output channel.
  two_outputs_a_channel,
  // Depthwise code runs, a weight zero point is not 0, and a sum of activations exceeds 32767.
  activation_sum_saturated,
  // The multiplier of the first channel is above 1.
  enlarging,
  channels_last,
  several_threads,
  forced_isa,
  // The engine is not Engine::fbgemm.
  other_engine,
  // quantized::linear computes the case.
  linear,
};
inline constexpr std::size_t kCaseClasses = 34;

[[nodiscard]] std::string_view name(CaseClass c);

}  // namespace tieout
