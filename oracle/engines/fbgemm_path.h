#pragma once
// Predicts which of FBGEMM's code paths a case takes, and how that path adds up its products. No function here calls
// LibTorch; a property test compares the prediction with the path that FBGEMM reports (LibTorch::fbgemm_path).

#include <array>
#include <string_view>

#include "cases/conv_case.h"
#include "oracle/engines/libtorch_version.h"

namespace tieout {

// linear: the matrix product that quantized::linear calls (fbgemmPacked); the others are paths of convolutions.
enum class FbgemmPath { depthwise, groupwise, pointwise, im2col, linear };

[[nodiscard]] std::string_view name(FbgemmPath path);

// All paths of convolutions, in the order in which commands list them.
inline constexpr std::array kFbgemmPaths{FbgemmPath::pointwise, FbgemmPath::im2col, FbgemmPath::depthwise,
                                         FbgemmPath::groupwise};

// What the engines' results depend on beside the case: the capabilities of the CPU, whatever instruction set FBGEMM is
// forced to, because some of FBGEMM's code tests the CPU and not the forced instruction set; and the version of
// LibTorch.
struct Hardware {
  bool avx512 = false;  // AVX-512 F, BW, DQ and VL
  bool avx512_vnni = false;
  // The 256-bit VNNI of AVX, which also exists on CPUs without AVX-512. oneDNN has code for it, FBGEMM has none.
  bool avx_vnni = false;
  bool amx_int8 = false;  // AMX tiles; oneDNN has code for them, FBGEMM has none
  // LibTorch's own code for AVX-512 runs, which some operators other than convolutions have: the CPU has it, and the
  // environment variable ATEN_CPU_CAPABILITY does not limit LibTorch to AVX2.
  bool aten_avx512 = false;
  LibTorchVersion libtorch{};

  bool operator==(const Hardware&) const = default;
};

// CPUs with AVX2 and none of the above, with AVX-512, with its VNNI as well, and with AMX as well.
inline constexpr Hardware kAvx2Cpu{};
inline constexpr Hardware kAvx512Cpu{.avx512 = true};
inline constexpr Hardware kVnniCpu{.avx512 = true, .avx512_vnni = true};
inline constexpr Hardware kAmxCpu{.avx512 = true, .avx512_vnni = true, .amx_int8 = true};

// Returns linear for a linear layer, and for a convolution the first path whose condition holds (2-d and 3-d; a 1-d
// convolution is a 2-d one of height 1):
//   depthwise  one input channel and one or two output channels per group; groups a multiple of 8; every kernel extent
//              3, 5 or 7, with height = width; every stride 1 or 2; dilation 1; padding (kernel - 1) / 2
//   groupwise  2, 4, 8 or 16 input channels per group and as many output channels; at least as many groups as fill a
//              vector register; every kernel extent 3, padding 1, dilation 1; height and width stride both 1 or both 2
//   pointwise  1x1, stride 1, no padding, dilation 1; any number of groups
//   im2col     all other convolutions
[[nodiscard]] FbgemmPath fbgemm_path(const ConvCase& c, const Hardware& hardware);

// Returns the number of groups that the groupwise code processes at a time: as many as fill a vector register.
[[nodiscard]] std::int64_t fbgemm_groups_together(const ConvCase& c, const Hardware& hardware);

// Returns the arithmetic of that path. isa: the instruction set that FBGEMM is forced to; native is the best of the
// hardware.
//   depthwise       int16 pairs on every machine (it has AVX2 code only); sums of activations saturate at 32767, which
//                   takes 129 taps and hence a 3-d kernel; from LibTorch 2.14 on, two roundings for a per-tensor bias
//   groupwise       int16 pairs if the hardware has no VNNI, whatever is forced
//   other paths     int16 pairs if VNNI is absent or not forced
[[nodiscard]] Arithmetic fbgemm_arithmetic(FbgemmPath path, Isa isa, const Hardware& hardware);

}  // namespace tieout
