#pragma once
// Converts a case to one line of text and back: parse(print(c)) == c, bit for bit.
//
//   conv2d out_channels=2 input=3x3 kernel=3x3 xs=0.05 ws=[0.1,0.2] os=0.5 bias=[2*0] relu x=[9*255] w=uniform seed=7
//
// Words are separated by spaces. After the first one they may come in any order. A word whose value is the default is
// left out.
//
//   conv1d | conv2d | conv3d | linear             first
//   batch in_channels out_channels groups         integers, default 1; linear has in_features and out_features in
//                                                 place of channels, and no words of the next four lines
//   input kernel stride dilation                  DxHxW, HxW or W by the dimensions; or one number for all; default 1
//   padding                                       the same, default 0; on both sides of each axis, unless padding_end
//   padding_end                                   gives that of the end; padding=same: as TensorFlow and ONNX's
//                                                 SAME_UPPER have it, ceil(input / stride) outputs
//   xtype ytype                                   type of activation and output: uint8 (default) or int8; ytype also
//                                                 int32, which is the sum before requantization. Values and zero
//                                                 points are those of the type
//   xs xz   ws wz   os oz                         scale (default 1) and zero point (default 0) of activation, weight
//                                                 and output; a list in brackets is per channel
//   bias                                          list of float32 in real units; absent: no bias
//   int32_bias                                    list of int32 in units of xs * ws, in place of bias
//   relu                                          present: y = max(y, oz)
//   x w                                           [list], or uniform | edges | extremes | reduced | sparse | small
//   seed                                          of the contents that are not listed, default 0
//   engine isa format threads                     how the reference runs:
//   engine=fbgemm|onednn|x86|qnnpack|fbgemm_direct|onednn_pointwise,
//                                                 isa=native|avx2|avx512|avx512_256|avx512_vnni|avx512_vnni_256,
//                                                 format=contiguous|channels_last, threads=1
//
// In lists, N*V stands for N times V. Numbers are printed in the shortest form that reads back to the same bits.

#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "cases/text/case_words.h"
#include "cases/validate.h"

namespace tieout {

[[nodiscard]] std::string print(const ConvCase& c);

// Returns a case that passes validate(), or the first error in the line.
[[nodiscard]] tl::expected<ConvCase, CaseError> parse(std::string_view line);

}  // namespace tieout
