#include "oracle/engines/known_defects.h"

#include <algorithm>

#include "cases/case_predicates.h"
#include "oracle/engines/engine_model.h"

namespace tieout {
namespace {

// ---- FBGEMM

constexpr KnownDefect kGroupwiseRemainder{
    .id = "fbgemm_groupwise_remainder",
    .cause = "groupwise code takes a register full of groups at a time and reads and writes past the last ones",
    .memory = true};
constexpr KnownDefect kIm2colRgb{
    .id = "fbgemm_im2col_rgb",
    .cause = "im2col for 3 channels and stride 2 packs a reduction longer than its block, past the end of the buffer",
    .memory = true};
constexpr KnownDefect kDepthwise3dSmall{
    .id = "fbgemm_depthwise3d_small",
    .cause =
        "3-d depthwise code computes the first `padding` outputs of depth and height without asking how many there are",
    .memory = true};
constexpr KnownDefect kDepthwise3dRace{
    .id = "fbgemm_depthwise3d_race",
    .cause =
        "3-d depthwise code, several threads: the first `padding` outputs of a row run into another thread's rows"};

// The size of the matrix that FBGEMM packs at a time: rows (output pixels) by columns (reduction).
struct Block {
  std::int64_t rows, columns;
};

Block im2col_block(Isa isa, const Hardware& hardware) {
  if (isa == Isa::native) {
    isa = hardware.avx512_vnni ? Isa::avx512_vnni : hardware.avx512 ? Isa::avx512 : Isa::avx2;
  }
  switch (isa) {
    case Isa::avx512:
    case Isa::avx512_256: return {.rows = 56, .columns = 256};
    case Isa::avx512_vnni:
    case Isa::avx512_vnni_256: return {.rows = 384, .columns = 512};
    case Isa::avx2:
    case Isa::native: break;
  }
  return {.rows = 120, .columns = 512};
}

// The special im2col stores whole rows of the reduction at a distance of block.columns, whatever their length.
bool im2col_rgb_overflows(const ConvCase& c, const Hardware& hardware) {
  if (c.dims == 3 || c.in_channels != 3 || c.groups != 1) return false;
  for (const std::size_t d : {1U, 2U}) {
    if (c.stride[d] != 2 || c.dilation[d] != 1 || c.padding[d] != (c.kernel[d] - 1) / 2) return false;
  }
  const Block block = im2col_block(c.execution.isa, hardware);
  const std::int64_t columns = reduction_length(c);
  const std::int64_t rows = std::min(c.batch * volume(output_size(c)), block.rows);
  return columns > block.columns && (rows - 1) * block.columns + columns > block.rows * block.columns;
}

const KnownDefect* fbgemm_defect(const ConvCase& c, const Hardware& hardware) {
  const FbgemmPath path = fbgemm_path(c, hardware);
  const Spatial out = output_size(c);
  if (path == FbgemmPath::groupwise && c.groups % fbgemm_groups_together(c, hardware) != 0) return &kGroupwiseRemainder;
  if (path == FbgemmPath::im2col && im2col_rgb_overflows(c, hardware)) return &kIm2colRgb;
  if (path != FbgemmPath::depthwise || c.dims != 3) return nullptr;
  if (out[0] < c.padding[0] || out[1] < c.padding[1]) return &kDepthwise3dSmall;
  const bool rows_between = out[1] > 2 * c.padding[1] + c.stride[1] - 2;
  if (c.execution.threads > 1 && out[2] < c.padding[2] && rows_between) return &kDepthwise3dRace;
  return nullptr;
}

// ---- oneDNN, jit_uni_int8_1x1:avx2

constexpr KnownDefect kStridedPointwise{
    .id = "onednn_strided_pointwise",
    .cause = "without VNNI, 1x1 with a stride and few channels: 16 channels are read at a time, beyond the input's end",
    .memory = true};

// The last pixel that is read is followed by as many bytes as remain up to the end of the input.
bool strided_pointwise_overreads(const ConvCase& c) {
  if (c.stride == Spatial{1, 1, 1}) return false;
  constexpr std::int64_t kAtOnce = 16;
  const std::int64_t left = ((c.stride[1] - 1) * c.input[2] + c.stride[2]) * c.in_channels;
  return (c.in_channels + kAtOnce - 1) / kAtOnce * kAtOnce > left;
}

// ---- oneDNN, brg_conv_fwd:avx512_core_vnni

constexpr KnownDefect kDepthwiseWidth{
    .id = "onednn_depthwise_width",
    .cause =
        "one input and several output channels a group: wrong where the output is one pixel wide and the width's "
        "stride is above 1"};
constexpr KnownDefect kAmxOneColumn{
    .id = "onednn_amx_one_column",
    .cause =
        "with AMX, where the output is one pixel wide and several high and the width's stride is above 1: bytes of "
        "uninitialized memory are multiplied",
    .memory = true};
constexpr KnownDefect kAmxOneSlice{
    .id = "onednn_amx_one_slice",
    .cause = "with AMX, 3-d, where the input's depth is 1 and the kernel's is not: uninitialized memory is multiplied",
    .memory = true};
constexpr KnownDefect kAmxWindowInPadding{
    .id = "onednn_amx_window_in_padding",
    .cause =
        "with AMX, where a window lies in padding as a whole: reads beside its buffers, uninitialized memory or both",
    .memory = true};
constexpr KnownDefect kJoinedColumns{
    .id = "onednn_joined_columns",
    .cause =
        "less than 64 channels, where input, kernel and stride have a common divisor in width: columns are joined, and "
        "the weights read by another layout than they have"};
constexpr LibTorchVersion kDilatedPaddingFixed{.major = 2, .minor = 15, .patch = 0};
constexpr KnownDefect kDilatedPadding{
    .id = "onednn_dilated_padding",
    .cause =
        "before LibTorch 2.15, where no window reaches the input in width and the dilation exceeds the input's width: "
        "reads beside its buffers",
    .memory = true};
// 2.9.1 has this defect with a single output channel as well; 2.15.0 does not.
constexpr LibTorchVersion kOneChannelFixed{.major = 2, .minor = 15, .patch = 0};
constexpr KnownDefect kDepthwiseDepth{
    .id = "onednn_depthwise_depth",
    .cause =
        "one input and several output channels a group, 3-d: reads beside the input, and so answers differently from "
        "run to run, where the input's depth is 1 and the kernel's is not",
    .memory = true};
constexpr KnownDefect kWindowInPadding{
    .id = "onednn_window_in_padding",
    .cause = "the activation's zero point is taken out wrongly where a window lies in padding as a whole"};
constexpr KnownDefect kGroupedZeroPoint{
    .id = "onednn_grouped_zero_point",
    .cause =
        "groups of 16 and more output channels: the activation's zero point is taken out by another layout of the "
        "weights than they have, depending on the number of threads"};

// This is not a wrong result but one of two possible ones: the code that oneDNN prefers multiplies by one scale after
// the other, its fallback by the product of the scales (engine_onednn.cpp).
constexpr KnownDefect kScaleOrder{
    .id = "onednn_scale_order",
    .cause =
        "small tensors: which of two codes runs, with the scales in different orders, depends on the size of scratch "
        "memory, and so on the number of threads"};

// oneDNN falls back from the code that copies its input if its scratch memory would exceed 64 times the size of the
// tensors. All observed cases had tensors of less than 1,500 bytes in total.
bool may_fall_back(const ConvCase& c) {
  const std::int64_t channels = c.in_channels / c.groups;
  if (c.groups == 1 || (channels == 1 && c.out_channels == c.groups)) return false;
  const Spatial out = output_size(c);
  const bool copies_rows = channels == 1 && (c.kernel[2] > 1 || c.kernel[1] > 1);
  const bool copies_columns = out[0] == 1 && out[2] == 1 && c.kernel[2] == 1;
  if (!copies_rows && !copies_columns) return false;
  return element_count(activation_shape(c)) + element_count(weight_shape(c)) + element_count(output_shape(c)) < 4096;
}

bool some_window_in_padding(const ConvCase& c) {
  const Spatial out = output_size(c);
  for (std::size_t d = 0; d < 3; ++d) {
    for (std::int64_t at = 0; at < out[d]; ++at) {
      bool inside = false;
      for (std::int64_t tap = 0; tap < c.kernel[d] && !inside; ++tap) {
        const std::int64_t position = at * c.stride[d] + tap * c.dilation[d] - c.padding[d];
        inside = position >= 0 && position < c.input[d];
      }
      if (!inside) return true;
    }
  }
  return false;
}

// True if every tap of every window lies in the padding of the width, and all taps of the last window behind the input.
bool all_windows_beside_input(const ConvCase& c) {
  if ((output_size(c)[2] - 1) * c.stride[2] - c.padding[2] < c.input[2]) return false;
  for (std::int64_t at = 0; at < output_size(c)[2]; ++at) {
    for (std::int64_t tap = 0; tap < c.kernel[2]; ++tap) {
      const std::int64_t position = at * c.stride[2] + tap * c.dilation[2] - c.padding[2];
      if (position >= 0 && position < c.input[2]) return false;
    }
  }
  return true;
}

// oneDNN treats k neighbouring columns with all their channels as one column of k times the channels, where input,
// kernel and stride are multiples of k, with the largest possible k. The code then ignores the padding of the
// weights, which exists if a single column does not fill a register, and the result is wrong if k columns need more
// than one register.
bool joins_columns_wrongly(const ConvCase& c) {
  constexpr std::int64_t kRegister = 64;  // bytes, which equal channels
  if (c.groups != 1 || c.dilation[2] != 1 || c.padding[2] != 0 || c.in_channels % 4 != 0) return false;
  if (c.in_channels >= kRegister) return false;  // single columns fill whole registers, or columns are not joined
  std::int64_t joined = 1;
  for (std::int64_t k = 2; k <= std::min({c.kernel[2], c.stride[2], c.input[2]}); ++k) {
    const std::int64_t channels = c.in_channels * k;
    const bool fills = channels <= kRegister || channels % kRegister == 0;
    if (fills && c.input[2] % k == 0 && c.kernel[2] % k == 0 && c.stride[2] % k == 0) joined = k;
  }
  return c.in_channels * joined > kRegister;
}

const KnownDefect* onednn_defect(const ConvCase& c, const Hardware& hardware) {
  const OnednnCode code = onednn_code(c, hardware);
  if (code == OnednnCode::pointwise && strided_pointwise_overreads(c)) return &kStridedPointwise;
  if (!hardware.avx512) return nullptr;  // oneDNN runs other code without AVX-512
  const Spatial out = output_size(c);
  // AMX defects come first because they may access memory outside of the buffers where the VNNI code's only give wrong
  // results.
  if (onednn_other_code(c, hardware) == OnednnCode::amx) {
    if (out[2] == 1 && out[1] > 1 && c.stride[2] > 1) return &kAmxOneColumn;
    if (c.dims == 3 && c.input[0] == 1 && c.kernel[0] > 1) return &kAmxOneSlice;
    if (some_window_in_padding(c)) return &kAmxWindowInPadding;
  }
  const bool dilated = !is_depthwise(c) && c.dilation[2] > c.input[2];
  if (hardware.libtorch < kDilatedPaddingFixed && dilated && all_windows_beside_input(c)) return &kDilatedPadding;
  if (joins_columns_wrongly(c)) return &kJoinedColumns;
  const bool one_column = out[2] == 1 && out[1] > 1 && c.stride[1] == 1 && c.stride[2] > 1;
  if (c.in_channels == 1 && c.out_channels == 1 && one_column && hardware.libtorch < kOneChannelFixed) {
    return &kDepthwiseWidth;
  }
  if (c.in_channels == c.groups && c.out_channels > c.groups) {
    if (c.dims != 3 && one_column) return &kDepthwiseWidth;
    if (c.dims == 3 && c.input[0] == 1 && c.kernel[0] > 1) return &kDepthwiseDepth;
  }
  if (c.activation_zero_point != 0) {
    if (some_window_in_padding(c)) return &kWindowInPadding;
    if (c.groups > 1 && c.out_channels / c.groups >= 16) return &kGroupedZeroPoint;
  }
  // Before that version, both codes multiply by the product of the scales.
  const bool one_order = code != OnednnCode::vnni && code != OnednnCode::avx512_pairs;
  return !one_order && may_fall_back(c) ? &kScaleOrder : nullptr;
}

}  // namespace

const KnownDefect* known_defect(const ConvCase& c, const Hardware& hardware) {
  if (is_linear(c)) return nullptr;  // none was found
  if (!has_even_padding(c)) return known_defect(with_even_padding(c), hardware);
  const Engine engine = computing_engine(c, hardware);
  if (is_fbgemm(engine)) return fbgemm_defect(c, hardware);
  if (is_onednn(engine)) return onednn_defect(c, hardware);
  return nullptr;
}

std::string text_of(const KnownDefect& defect, std::string_view what) {
  return "LibTorch's known defect " + std::string(defect.id) + ": " + std::string(what);
}

}  // namespace tieout
